//! The binary at work: scripts with golden output, and what scripts can't show (signals, deaths, other processes).

#[cfg(test)]
mod browser;
#[cfg(test)]
mod ci;
#[cfg(test)]
mod commands;
#[cfg(test)]
mod console;
#[cfg(test)]
mod deaths;
#[cfg(test)]
mod docs;
#[cfg(test)]
mod generated;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod leaks;
#[cfg(test)]
mod modules;
#[cfg(test)]
mod pipes;
#[cfg(test)]
mod sarif;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod script;
#[cfg(test)]
mod sealed;
#[cfg(test)]
mod stack;
#[cfg(test)]
mod taken_over;
#[cfg(test)]
mod verify;

/// One test per script, and one that no script is forgotten.
macro_rules! scripts {
    ($($name:ident),* $(,)?) => {
        $(#[test]
        fn $name() {
            script::check(stringify!($name));
        })*

        #[test]
        fn every_script_is_run() {
            assert_eq!(script::all(), [$(stringify!($name)),*]);
        }
    };
}

scripts! {
    access,
    access_verify,
    access_verify_context,
    annotations,
    another_aws,
    bad_arguments,
    bad_spec,
    bad_state,
    convert,
    cost,
    deleted_behind_our_back,
    deployer,
    encrypted_tables,
    encryption,
    examples,
    failure_and_recovery,
    fmt,
    generate_config,
    graph,
    import_command,
    imports,
    items,
    json,
    key_deletion,
    key_pending_deletion,
    key_policies,
    keys_brought_back,
    keys_of_instances,
    lint,
    little_commands,
    lookups,
    migrate,
    modules,
    moves,
    organization,
    organization_verify,
    other_account,
    permissions,
    plan_file,
    refresh_only,
    renamed_made_first,
    renamed_user,
    replacements,
    review,
    saved_plan,
    secrets,
    state_commands,
    targets,
    variables,
    workspaces,
    wrong_surroundings,
}
