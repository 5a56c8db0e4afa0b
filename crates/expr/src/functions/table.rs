//! All functions, sorted by name.

use super::Parameter as P;
use super::parameter::{Accepts, Returns as R};
use super::{
    Function, amazon, choice, collection, conversion, encoding, file, format, hash, json, network, number,
    path, pattern, sequence, set, template, text, time, yaml,
};

const LIST: Accepts = Accepts::List;
const SET: Accepts = Accepts::Set;
const STRINGS: Accepts = Accepts::Strings;

/// An argument whose unknown parts and marks stay on its elements.
const fn whole(name: &'static str) -> P {
    P::any(name).partial().marks()
}

/// An argument that is taken as it is, also unknown.
const fn open(name: &'static str) -> P {
    P::any(name).partial().unknown().marks()
}

fn strings(_: &[terrane_model::Value]) -> terrane_model::Type {
    terrane_model::Type::set(terrane_model::Type::String)
}

fn any(_: &[terrane_model::Value]) -> terrane_model::Type {
    terrane_model::Type::Any
}

// One function per line reads better than one argument per line.
#[rustfmt::skip]
pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("abs", &[P::number("num")], R::Number, number::abs),
    Function::new("abspath", &[P::string("path")], R::String, path::abspath),
    Function::new("alltrue", &[P::of("list", Accepts::Bools).partial()], R::Bool, sequence::all_true),
    Function::new("anytrue", &[P::of("list", Accepts::Bools).partial()], R::Bool, sequence::any_true),
    Function::new("base64decode", &[P::string("str")], R::String, encoding::base64_decode),
    Function::new("base64encode", &[P::string("str")], R::String, encoding::base64_encode),
    Function::new("base64gzip", &[P::string("str")], R::String, encoding::base64_gzip),
    Function::new("base64sha256", &[P::string("str")], R::String, hash::base64_sha256),
    Function::new("base64sha512", &[P::string("str")], R::String, hash::base64_sha512),
    Function::new("basename", &[P::string("path")], R::String, path::basename),
    Function::new("bcrypt", &[P::string("str")], R::String, hash::bcrypt).and_more(P::number("cost")),
    Function::lazy("can", choice::can),
    Function::new("ceil", &[P::number("num")], R::Number, number::ceil),
    Function::new("chomp", &[P::string("str")], R::String, text::chomp),
    Function::new("chunklist", &[P::of("list", LIST).partial().marks(), P::number("size")], R::From(sequence::chunk_list_type), sequence::chunk_list),
    Function::new("cidrhost", &[P::string("prefix"), P::number("hostnum")], R::String, network::cidr_host),
    Function::new("cidrnetmask", &[P::string("prefix")], R::String, network::cidr_netmask),
    Function::new("cidrsubnet", &[P::string("prefix"), P::number("newbits"), P::number("netnum")], R::String, network::cidr_subnet),
    Function::new("cidrsubnets", &[P::string("prefix")], R::Strings, network::cidr_subnets).and_more(P::number("newbits")),
    Function::new("coalesce", &[], R::Any, choice::coalesce).and_more(P::any("vals").partial().unknown().null()),
    Function::new("coalescelist", &[], R::Any, choice::coalesce_list).and_more(P::any("vals").partial().unknown().null()),
    Function::new("compact", &[P::of("list", STRINGS)], R::Strings, sequence::compact),
    Function::new("concat", &[open("seqs")], R::Any, sequence::concat).and_more(open("seqs")),
    Function::new("contains", &[P::any("list").partial(), P::any("value").partial().unknown()], R::Bool, sequence::contains),
    Function::new("csvdecode", &[P::string("str")], R::Any, encoding::csv_decode),
    Function::new("dirname", &[P::string("path")], R::String, path::dirname),
    Function::new("distinct", &[P::of("list", LIST)], R::From(sequence::same_list_type), sequence::distinct),
    Function::new("element", &[open("list"), P::number("index").unknown()], R::MaybeNull(any), sequence::element),
    Function::new("endswith", &[P::string("str"), P::string("suffix")], R::Bool, text::ends_with),
    Function::new("ephemeralasnull", &[open("value").null()], R::Any, conversion::ephemeral_as_null),
    Function::new("file", &[P::string("path")], R::String, file::file),
    Function::new("filebase64", &[P::string("path")], R::String, file::file_base64),
    Function::new("filebase64sha256", &[P::string("path")], R::String, file::file_base64_sha256),
    Function::new("filebase64sha512", &[P::string("path")], R::String, file::file_base64_sha512),
    Function::new("fileexists", &[P::string("path")], R::Bool, file::file_exists),
    Function::new("filemd5", &[P::string("path")], R::String, file::file_md5),
    Function::new("fileset", &[P::string("path"), P::string("pattern")], R::From(strings), file::file_set),
    Function::new("filesha1", &[P::string("path")], R::String, file::file_sha1),
    Function::new("filesha256", &[P::string("path")], R::String, file::file_sha256),
    Function::new("filesha512", &[P::string("path")], R::String, file::file_sha512),
    Function::new("flatten", &[whole("list")], R::Any, sequence::flatten),
    Function::new("floor", &[P::number("num")], R::Number, number::floor),
    Function::new("format", &[P::string("format").unknown()], R::String, format::format).and_more(P::any("args").partial().unknown().null()),
    Function::new("formatdate", &[P::string("format"), P::string("time")], R::String, time::format_date),
    Function::new("formatlist", &[P::string("format").unknown()], R::Strings, format::format_list).and_more(P::any("args").partial().unknown().null()),
    Function::new("indent", &[P::number("spaces"), P::string("str")], R::String, text::indent),
    Function::new("index", &[P::any("list").partial(), P::any("value").partial()], R::Number, sequence::index),
    Function::new("issensitive", &[open("value").null()], R::Bool, conversion::is_sensitive),
    Function::new("join", &[P::string("separator")], R::String, text::join).and_more(P::of("lists", STRINGS)),
    Function::new("jsondecode", &[P::string("str")], R::MaybeNull(any), json::decode),
    Function::new("jsonencode", &[P::any("val").partial().unknown().null()], R::String, json::encode),
    Function::new("keys", &[open("inputMap")], R::Any, collection::keys),
    Function::new("length", &[open("value")], R::Number, collection::length),
    Function::new("log", &[P::number("num"), P::number("base")], R::Number, number::log),
    Function::new("lookup", &[open("inputMap"), P::string("key").unknown().marks()], R::MaybeNull(any), collection::lookup).and_more(open("default").null()),
    Function::new("lower", &[P::string("str")], R::String, text::lower),
    Function::new("matchkeys", &[P::of("values", LIST), P::of("keys", LIST), P::of("searchset", LIST)], R::From(sequence::same_list_type), sequence::match_keys),
    Function::new("max", &[], R::Number, number::max).and_more(P::number("numbers")),
    Function::new("md5", &[P::string("str")], R::String, hash::md5),
    Function::new("merge", &[], R::Any, collection::merge).and_more(open("maps").null()),
    Function::new("min", &[], R::Number, number::min).and_more(P::number("numbers")),
    Function::new("nonsensitive", &[open("value").null()], R::Any, conversion::nonsensitive),
    Function::new("one", &[open("list")], R::MaybeNull(any), choice::one),
    Function::new("parseint", &[P::any("number"), P::any("base")], R::Number, number::parse_int),
    Function::new("pathexpand", &[P::string("path")], R::String, path::pathexpand),
    Function::new("plantimestamp", &[], R::String, time::plan_timestamp),
    Function::new("pow", &[P::number("num"), P::number("power")], R::Number, number::pow),
    Function::new("provider::aws::arn_build", &[P::string("partition"), P::string("service"), P::string("region"), P::string("account_id"), P::string("resource")], R::String, amazon::arn_build),
    Function::new("provider::aws::arn_parse", &[P::string("arn")], R::From(amazon::arn_type), amazon::arn_parse),
    Function::new("provider::aws::trim_iam_role_path", &[P::string("arn")], R::String, amazon::trim_iam_role_path),
    Function::new("range", &[], R::From(sequence::number_list), sequence::range).and_more(P::number("params")),
    Function::new("regex", &[P::string("pattern"), P::string("string")], R::From(pattern::regex_type), pattern::regex),
    Function::new("regexall", &[P::string("pattern"), P::string("string")], R::From(pattern::regex_all_type), pattern::regex_all),
    Function::new("replace", &[P::string("str"), P::string("substr"), P::string("replace")], R::String, pattern::replace),
    Function::new("reverse", &[whole("list")], R::From(sequence::reverse_type), sequence::reverse),
    Function::new("rsadecrypt", &[P::string("ciphertext"), P::string("privatekey")], R::String, hash::rsa_decrypt),
    Function::new("sensitive", &[open("value").null()], R::Any, conversion::sensitive),
    Function::new("setintersection", &[P::of("first_set", SET)], R::From(set::set_type), set::intersection).and_more(P::of("other_sets", SET)),
    Function::new("setproduct", &[], R::From(set::product_type), set::product).and_more(whole("sets")),
    Function::new("setsubtract", &[P::of("a", SET), P::of("b", SET)], R::From(set::set_type), set::subtract),
    Function::new("setunion", &[P::of("first_set", SET).partial()], R::From(set::set_type), set::union).and_more(P::of("other_sets", SET).partial()),
    Function::new("sha1", &[P::string("str")], R::String, hash::sha1),
    Function::new("sha256", &[P::string("str")], R::String, hash::sha256),
    Function::new("sha512", &[P::string("str")], R::String, hash::sha512),
    Function::new("signum", &[P::number("num")], R::Number, number::signum),
    Function::new("slice", &[whole("list"), P::number("start_index"), P::number("end_index")], R::From(sequence::slice_type), sequence::slice),
    Function::new("sort", &[P::of("list", STRINGS).partial()], R::Strings, sequence::sort),
    Function::new("split", &[P::string("separator"), P::string("str")], R::Strings, text::split),
    Function::new("startswith", &[P::string("str").unknown(), P::string("prefix").unknown()], R::Bool, text::starts_with),
    Function::new("strcontains", &[P::string("str"), P::string("substr")], R::Bool, text::contains),
    Function::new("strrev", &[P::string("str")], R::String, text::reverse),
    Function::new("substr", &[P::string("str"), P::number("offset"), P::number("length")], R::String, text::substr),
    Function::new("sum", &[P::any("list").partial()], R::Number, sequence::sum),
    Function::new("templatefile", &[P::string("path"), whole("vars")], R::MaybeNull(any), template::template_file),
    Function::lazy("templatestring", template::template_string),
    Function::new("textdecodebase64", &[P::string("source"), P::string("encoding")], R::String, encoding::text_decode_base64),
    Function::new("textencodebase64", &[P::string("string"), P::string("encoding")], R::String, encoding::text_encode_base64),
    Function::new("timeadd", &[P::string("timestamp"), P::string("duration")], R::String, time::time_add),
    Function::new("timecmp", &[P::string("timestamp_a"), P::string("timestamp_b")], R::Number, time::time_cmp),
    Function::new("timestamp", &[], R::String, time::timestamp),
    Function::new("title", &[P::string("str")], R::String, text::title),
    Function::new("tobool", &[open("v").null()], R::Bool, conversion::to_bool),
    Function::new("tolist", &[open("v").null()], R::Any, conversion::to_list),
    Function::new("tomap", &[open("v").null()], R::Any, conversion::to_map),
    Function::new("tonumber", &[open("v").null()], R::Number, conversion::to_number),
    Function::new("toset", &[open("v").null()], R::Any, conversion::to_set),
    Function::new("tostring", &[open("v").null()], R::String, conversion::to_string),
    Function::new("transpose", &[P::of("values", Accepts::StringsByKey)], R::From(collection::transpose_type), collection::transpose),
    Function::new("trim", &[P::string("str"), P::string("cutset")], R::String, text::trim),
    Function::new("trimprefix", &[P::string("str"), P::string("prefix")], R::String, text::trim_prefix),
    Function::new("trimspace", &[P::string("str")], R::String, text::trim_space),
    Function::new("trimsuffix", &[P::string("str"), P::string("suffix")], R::String, text::trim_suffix),
    Function::lazy("try", choice::try_),
    Function::new("type", &[open("value").null()], R::String, conversion::type_of),
    Function::new("upper", &[P::string("str")], R::String, text::upper),
    Function::new("urlencode", &[P::string("str")], R::String, encoding::url_encode),
    Function::new("uuid", &[], R::String, hash::uuid),
    Function::new("uuidv5", &[P::string("namespace"), P::string("name")], R::String, hash::uuid_v5),
    Function::new("values", &[open("mapping")], R::Any, collection::values),
    Function::new("yamldecode", &[P::string("src")], R::MaybeNull(any), yaml::decode),
    Function::new("yamlencode", &[P::any("value").null()], R::String, yaml::encode),
    Function::new("zipmap", &[P::of("keys", STRINGS).partial(), whole("values")], R::From(collection::zipmap_type), collection::zipmap),
];
