//! Any bytes as a spec: read and checked. Nothing may panic or hang, and what is wrong is said.

#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use terrane_expr::FunctionContext;
use terrane_provider::Catalog;
use terrane_provider::terraform_data::TerraformData;

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| {
    let mut catalog = Catalog::default();
    catalog.add_resource(Arc::new(TerraformData));
    catalog
});

fuzz_target!(|bytes: &[u8]| {
    let parsed = terrane_spec::parse(vec![("terrane.toml".to_owned(), bytes.to_vec())]);
    if let Err(failure) = terrane_spec::check(parsed, &*CATALOG, &FunctionContext::closed()) {
        assert!(!failure.diagnostics.is_empty());
    }
});
