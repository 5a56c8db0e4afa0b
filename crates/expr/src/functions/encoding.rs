//! Base64, gzip, CSV, URL escapes and text encodings.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use encoding_rs::Encoding;
use flate2::{Compress, Compression, Crc, FlushCompress};
use terrane_model::{Type, Value};

use super::{Fault, Given, Outcome};

/// With padding; bits behind the last byte are passed over.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

/// Bytes in Base64.
pub(super) fn to_base64(bytes: impl AsRef<[u8]>) -> String {
    BASE64.encode(bytes)
}

/// Bytes from Base64; new lines in it are passed over.
pub(super) fn from_base64(text: &str) -> Option<Vec<u8>> {
    let joined: String = text.chars().filter(|c| !matches!(c, '\n' | '\r')).collect();
    BASE64.decode(joined).ok()
}

pub(super) fn base64_decode(given: &Given<'_>) -> Outcome {
    let bytes = from_base64(given.text(0)?).ok_or_else(|| Fault::new("the text is no Base64"))?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Value::from(text)),
        Err(_) => Err(Fault::new("what the Base64 holds is no UTF-8 text")),
    }
}

pub(super) fn base64_encode(given: &Given<'_>) -> Outcome {
    Ok(Value::from(to_base64(given.text(0)?)))
}

/// Compressed with gzip, then in Base64.
pub(super) fn base64_gzip(given: &Given<'_>) -> Outcome {
    let bytes = given.text(0)?.as_bytes();
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    match bytes.is_empty() {
        true => out.extend([0, 0, 0, 0xff, 0xff]),
        false => deflate(bytes, &mut out)?,
    }
    // An empty last block, as Go's compressor ends what it has flushed.
    out.extend([1, 0, 0, 0xff, 0xff]);
    let mut crc = Crc::new();
    crc.update(bytes);
    out.extend(crc.sum().to_le_bytes());
    out.extend(crc.amount().to_le_bytes());
    Ok(Value::from(to_base64(out)))
}

/// Compresses up to a byte boundary, without the end of the stream.
fn deflate(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
    let mut compress = Compress::new(Compression::default(), false);
    loop {
        let consumed = usize::try_from(compress.total_in()).unwrap_or(usize::MAX);
        let rest = bytes.get(consumed..).unwrap_or(&[]);
        out.reserve(rest.len() / 2 + 64);
        compress
            .compress_vec(rest, out, FlushCompress::Sync)
            .map_err(|e| Fault::new(format!("compression failed: {e}")))?;
        let done = usize::try_from(compress.total_in()).is_ok_and(|n| n == bytes.len());
        // With room to spare, everything has been flushed.
        if done && out.len() < out.capacity() {
            return Ok(());
        }
    }
}

/// Everything but letters, digits and `-_.~` is escaped; a space becomes `+`.
pub(super) fn url_encode(given: &Given<'_>) -> Outcome {
    let mut out = String::new();
    for byte in given.text(0)?.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    Ok(Value::from(out))
}

/// How text becomes bytes.
enum Charset {
    Utf16 {
        big: bool,
        mark: bool,
    },
    /// Characters below this limit are their own byte.
    Single(u32),
    Other(&'static Encoding),
}

fn charset(name: &str) -> Result<Charset, Fault> {
    let upper = name.to_ascii_uppercase();
    Ok(match upper.as_str() {
        "UTF-16LE" => Charset::Utf16 { big: false, mark: false },
        "UTF-16BE" => Charset::Utf16 { big: true, mark: false },
        "UTF-16" => Charset::Utf16 { big: true, mark: true },
        "US-ASCII" | "ASCII" => Charset::Single(0x80),
        "ISO-8859-1" | "LATIN1" | "ISO_8859-1" => Charset::Single(0x100),
        _ => match Encoding::for_label_no_replacement(name.as_bytes()) {
            Some(encoding) => Charset::Other(encoding),
            None => return Err(Fault::at(1, format!("`{name}` is no known encoding"))),
        },
    })
}

pub(super) fn text_encode_base64(given: &Given<'_>) -> Outcome {
    let (text, name) = (given.text(0)?, given.text(1)?);
    let missing = || Fault::at(0, format!("a character of the text is not in the encoding `{name}`"));
    let bytes = match charset(name)? {
        Charset::Utf16 { big, mark } => {
            let unit = |u: u16| if big { u.to_be_bytes() } else { u.to_le_bytes() };
            mark.then_some(0xfeff).into_iter().chain(text.encode_utf16()).flat_map(unit).collect()
        }
        Charset::Single(limit) => text
            .chars()
            .map(|c| u8::try_from(u32::from(c)).ok().filter(|b| u32::from(*b) < limit).ok_or_else(missing))
            .collect::<Result<Vec<u8>, Fault>>()?,
        Charset::Other(encoding) => {
            let (bytes, _, unmappable) = encoding.encode(text);
            if unmappable {
                return Err(missing());
            }
            bytes.into_owned()
        }
    };
    Ok(Value::from(to_base64(bytes)))
}

pub(super) fn text_decode_base64(given: &Given<'_>) -> Outcome {
    let (source, name) = (given.text(0)?, given.text(1)?);
    let charset = charset(name)?;
    let bytes = from_base64(source).ok_or_else(|| Fault::at(0, "it is no Base64"))?;
    let text = match charset {
        Charset::Utf16 { big, mark } => decode_utf16(&bytes, big, mark),
        Charset::Single(limit) => bytes
            .iter()
            .map(|b| Some(char::from(*b)).filter(|c| u32::from(*c) < limit))
            .collect::<Option<String>>(),
        Charset::Other(encoding) => {
            encoding.decode_without_bom_handling_and_without_replacement(&bytes).map(|text| text.into_owned())
        }
    };
    match text {
        Some(text) => Ok(Value::from(text)),
        None => Err(Fault::at(0, format!("what it holds is no text in the encoding `{name}`"))),
    }
}

fn decode_utf16(bytes: &[u8], big: bool, mark: bool) -> Option<String> {
    let (bytes, big) = match (mark, bytes) {
        (true, [0xff, 0xfe, rest @ ..]) => (rest, false),
        (true, [0xfe, 0xff, rest @ ..]) => (rest, true),
        _ => (bytes, big),
    };
    if bytes.len() % 2 != 0 {
        return None;
    }
    let units: Vec<u16> = bytes
        .chunks_exact(2)
        .filter_map(|pair| <[u8; 2]>::try_from(pair).ok())
        .map(|pair| if big { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) })
        .collect();
    String::from_utf16(&units).ok()
}

/// CSV with a header line, to a list of objects of text.
pub(super) fn csv_decode(given: &Given<'_>) -> Outcome {
    let mut rows = csv_rows(given.text(0)?).map_err(Fault::new)?.into_iter();
    let header = rows.next().ok_or_else(|| Fault::new("there is no header line"))?;
    for (place, name) in header.iter().enumerate() {
        if header.iter().take(place).any(|other| other == name) {
            return Err(Fault::new(format!("the column `{name}` stands twice in the header")));
        }
    }
    let element = Type::object(header.iter().map(|name| (name.as_str(), Type::String)));
    let objects: Vec<Value> = rows
        .map(|row| Value::object(header.iter().map(String::as_str).zip(row.into_iter().map(Value::from))))
        .collect();
    Ok(Value::list(element, objects))
}

/// The fields of each line. Empty lines are passed over; all others have as many fields as the first one.
fn csv_rows(text: &str) -> Result<Vec<Vec<String>>, String> {
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut rest = text;
    let mut line = 0;
    while !rest.is_empty() {
        line += 1;
        if let Some(tail) = rest.strip_prefix("\r\n").or(rest.strip_prefix('\n')) {
            rest = tail;
            continue;
        }
        let row = csv_row(&mut rest).map_err(|why| format!("{why} in record {line}"))?;
        if let Some(first) = rows.first().filter(|first| first.len() != row.len()) {
            return Err(format!(
                "record {line} has {} fields, and the header has {}",
                row.len(),
                first.len()
            ));
        }
        rows.push(row);
    }
    Ok(rows)
}

fn csv_row(rest: &mut &str) -> Result<Vec<String>, &'static str> {
    let mut fields = Vec::new();
    loop {
        let field = match rest.strip_prefix('"') {
            Some(quoted) => {
                *rest = quoted;
                csv_quoted(rest)?
            }
            None => {
                let end = rest.find([',', '\n']).unwrap_or(rest.len());
                let (field, tail) = rest.split_at_checked(end).unwrap_or((rest, ""));
                *rest = tail;
                let at_line_end = !tail.starts_with(',');
                let field = if at_line_end { field.strip_suffix('\r').unwrap_or(field) } else { field };
                if field.contains('"') {
                    return Err("there is a quote inside a field without quotes");
                }
                field.to_owned()
            }
        };
        fields.push(field);
        if let Some(tail) = rest.strip_prefix(',') {
            *rest = tail;
            continue;
        }
        let tail = rest.strip_prefix("\r\n").or(rest.strip_prefix('\n')).or(rest.strip_prefix('\r'));
        *rest = tail.unwrap_or(rest);
        return Ok(fields);
    }
}

/// Up to the closing quote; two quotes stand for one.
fn csv_quoted(rest: &mut &str) -> Result<String, &'static str> {
    let mut field = String::new();
    loop {
        let Some((text, tail)) = rest.split_once('"') else { return Err("a quote is not closed") };
        field.push_str(&text.replace("\r\n", "\n"));
        *rest = tail;
        if let Some(tail) = rest.strip_prefix('"') {
            field.push('"');
            *rest = tail;
            continue;
        }
        return match rest.is_empty() || rest.starts_with([',', '\n', '\r']) {
            true => Ok(field),
            false => Err("there is text behind a closing quote"),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::tests::call;
    use flate2::read::GzDecoder;
    use std::io::Read;

    #[test]
    fn gzip_inflates_to_the_same_text() {
        let noise: String = (0..100_000u32)
            .map(|i| char::from(b'a' + u8::try_from(i.wrapping_mul(i) % 7919 % 26).unwrap()))
            .collect();
        for text in ["", "hello world", &"x".repeat(300_000), &noise] {
            let zipped = call("base64gzip", &[Value::from(text)]).unwrap();
            let mut unzipped = String::new();
            GzDecoder::new(&*from_base64(zipped.as_str().unwrap()).unwrap())
                .read_to_string(&mut unzipped)
                .unwrap();
            assert!(unzipped == text, "{} bytes", text.len());
        }
    }

    #[test]
    fn csv_is_strict() {
        let rows = |text: &str| csv_rows(text).map(|rows| rows.join(&"|".to_owned()).join(";"));
        assert_eq!(rows("a,b\r\n1,\"x\r\ny\"\n\n2,\"q\"\"q\""), Ok("a;b;|;1;x\ny;|;2;q\"q".into()));
        assert!(rows("a,b\n1").is_err());
        assert!(rows("a\nx\"y").is_err());
        assert!(rows("a\n\"x\"y").is_err());
        assert!(rows("a\n\"x").is_err());
    }

    #[test]
    fn encodings_go_there_and_back() {
        for name in ["UTF-8", "UTF-16LE", "UTF-16BE", "UTF-16", "ISO-8859-1", "windows-1252", "Shift_JIS"] {
            let text = if name == "Shift_JIS" { "日本" } else { "abc" };
            let name = || Value::from(name);
            let encoded = call("textencodebase64", &[Value::from(text), name()]).unwrap();
            assert_eq!(
                call("textdecodebase64", &[encoded, name()]),
                Ok(Value::from(text)),
                "{name:?}",
                name = name()
            );
        }
    }
}
