"""What the proxy calls a call, which calls its faults concern, and that it carries bodies and the lack of them."""
import asyncio
import unittest

import proxy

START = b"%s %s HTTP/1.1"


def name(method, path, headers=None, body=b""):
    return proxy.operation_of(START % (method, path), headers or {}, body)


class Operations(unittest.TestCase):
    def test_each_protocol_names_its_operation(self):
        self.assertEqual(name(b"POST", b"/", {b"x-amz-target": b"TrentService.CreateKey"}), "kms.CreateKey")
        self.assertEqual(name(b"POST", b"/", {b"x-amz-target": b"DynamoDB_20120810.CreateTable"}), "dynamodb.CreateTable")
        self.assertEqual(name(b"POST", b"/", body=b"Action=CreateUser&Version=2010-05-08"), "iam.CreateUser")

    def test_an_object_of_a_bucket_is_told_by_the_method(self):
        self.assertEqual(name(b"PUT", b"/states/a/b.tfstate?x-id=PutObject"), "s3.PutObject")
        self.assertEqual(name(b"PUT", b"/states"), "other")
        self.assertEqual(name(b"HEAD", b"/states/a"), "other")


class Faults(unittest.TestCase):
    def carried(self, only, path):
        """Whether a write of `path` gets through when every call that `only` finds is cut off."""
        async def call():
            one = proxy.Proxy(0)
            one.config |= {"reset": 1.0, "only": only}
            one.forward = lambda head, body: asyncio.sleep(0, b"answer")
            return await one.carry((START % (b"PUT", path), {}, b"", b"")) is not None
        return asyncio.run(call())

    def test_they_concern_the_calls_that_are_named(self):
        only = "^s3.PutObject /states/key$"
        self.assertFalse(self.carried(only, b"/states/key?x-id=PutObject"))
        self.assertTrue(self.carried(only, b"/states/key.tflock"))
        self.assertFalse(self.carried("", b"/states/key.tflock"))


class Messages(unittest.TestCase):
    def read(self, text, **more):
        async def call():
            reader = asyncio.StreamReader()
            reader.feed_data(text)
            reader.feed_eof()
            return await proxy.read_message(reader, **more)
        return asyncio.run(call())

    def test_the_answer_to_a_head_has_a_length_and_no_body(self):
        head = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
        self.assertEqual(self.read(head + b"hello")[3], b"hello")
        self.assertEqual(self.read(head, bodiless=True)[3], b"")


if __name__ == "__main__":
    unittest.main()
