//! All functions, sorted by name.

use super::Parameter as P;
use super::parameter::{Accepts, Returns as R};
use super::{
    Function, amazon, choice, collection, conversion, format, json, number, pattern, sequence, set, text,
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

fn any(_: &[terrane_model::Value]) -> terrane_model::Type {
    terrane_model::Type::Any
}

// One function per line reads better than one argument per line.
#[rustfmt::skip]
pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("abs", &[P::number("num")], R::Number, number::abs),
    Function::new("alltrue", &[P::of("list", Accepts::Bools).partial()], R::Bool, sequence::all_true),
    Function::new("anytrue", &[P::of("list", Accepts::Bools).partial()], R::Bool, sequence::any_true),
    Function::lazy("can", choice::can),
    Function::new("ceil", &[P::number("num")], R::Number, number::ceil),
    Function::new("chomp", &[P::string("str")], R::String, text::chomp),
    Function::new("chunklist", &[P::of("list", LIST).partial().marks(), P::number("size")], R::From(sequence::chunk_list_type), sequence::chunk_list),
    Function::new("coalesce", &[], R::Any, choice::coalesce).and_more(P::any("vals").partial().unknown().null()),
    Function::new("coalescelist", &[], R::Any, choice::coalesce_list).and_more(P::any("vals").partial().unknown().null()),
    Function::new("compact", &[P::of("list", STRINGS)], R::Strings, sequence::compact),
    Function::new("concat", &[open("seqs")], R::Any, sequence::concat).and_more(open("seqs")),
    Function::new("contains", &[P::any("list").partial(), P::any("value").partial().unknown()], R::Bool, sequence::contains),
    Function::new("distinct", &[P::of("list", LIST)], R::From(sequence::same_list_type), sequence::distinct),
    Function::new("element", &[open("list"), P::number("index").unknown()], R::MaybeNull(any), sequence::element),
    Function::new("endswith", &[P::string("str"), P::string("suffix")], R::Bool, text::ends_with),
    Function::new("ephemeralasnull", &[open("value").null()], R::Any, conversion::ephemeral_as_null),
    Function::new("flatten", &[whole("list")], R::Any, sequence::flatten),
    Function::new("floor", &[P::number("num")], R::Number, number::floor),
    Function::new("format", &[P::string("format").unknown()], R::String, format::format).and_more(P::any("args").partial().unknown().null()),
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
    Function::new("merge", &[], R::Any, collection::merge).and_more(open("maps").null()),
    Function::new("min", &[], R::Number, number::min).and_more(P::number("numbers")),
    Function::new("nonsensitive", &[open("value").null()], R::Any, conversion::nonsensitive),
    Function::new("one", &[open("list")], R::MaybeNull(any), choice::one),
    Function::new("parseint", &[P::any("number"), P::any("base")], R::Number, number::parse_int),
    Function::new("pow", &[P::number("num"), P::number("power")], R::Number, number::pow),
    Function::new("provider::aws::arn_build", &[P::string("partition"), P::string("service"), P::string("region"), P::string("account_id"), P::string("resource")], R::String, amazon::arn_build),
    Function::new("provider::aws::arn_parse", &[P::string("arn")], R::From(amazon::arn_type), amazon::arn_parse),
    Function::new("provider::aws::trim_iam_role_path", &[P::string("arn")], R::String, amazon::trim_iam_role_path),
    Function::new("range", &[], R::From(sequence::number_list), sequence::range).and_more(P::number("params")),
    Function::new("regex", &[P::string("pattern"), P::string("string")], R::From(pattern::regex_type), pattern::regex),
    Function::new("regexall", &[P::string("pattern"), P::string("string")], R::From(pattern::regex_all_type), pattern::regex_all),
    Function::new("replace", &[P::string("str"), P::string("substr"), P::string("replace")], R::String, pattern::replace),
    Function::new("reverse", &[whole("list")], R::From(sequence::reverse_type), sequence::reverse),
    Function::new("sensitive", &[open("value").null()], R::Any, conversion::sensitive),
    Function::new("setintersection", &[P::of("first_set", SET)], R::From(set::set_type), set::intersection).and_more(P::of("other_sets", SET)),
    Function::new("setproduct", &[], R::From(set::product_type), set::product).and_more(whole("sets")),
    Function::new("setsubtract", &[P::of("a", SET), P::of("b", SET)], R::From(set::set_type), set::subtract),
    Function::new("setunion", &[P::of("first_set", SET)], R::From(set::set_type), set::union).and_more(P::of("other_sets", SET)),
    Function::new("signum", &[P::number("num")], R::Number, number::signum),
    Function::new("slice", &[whole("list"), P::number("start_index"), P::number("end_index")], R::From(sequence::slice_type), sequence::slice),
    Function::new("sort", &[P::of("list", STRINGS).partial()], R::Strings, sequence::sort),
    Function::new("split", &[P::string("separator"), P::string("str")], R::Strings, text::split),
    Function::new("startswith", &[P::string("str").unknown(), P::string("prefix").unknown()], R::Bool, text::starts_with),
    Function::new("strcontains", &[P::string("str"), P::string("substr")], R::Bool, text::contains),
    Function::new("strrev", &[P::string("str")], R::String, text::reverse),
    Function::new("substr", &[P::string("str"), P::number("offset"), P::number("length")], R::String, text::substr),
    Function::new("sum", &[P::any("list").partial()], R::Number, sequence::sum),
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
    Function::new("values", &[open("mapping")], R::Any, collection::values),
    Function::new("zipmap", &[P::of("keys", STRINGS).partial(), whole("values")], R::From(collection::zipmap_type), collection::zipmap),
];
