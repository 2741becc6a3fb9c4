//! The settings under which statements, or parts of them, are logged.

/// What was set, and how. Each is a session's beginning.
pub const SETTINGS: &[(&str, &str)] = &[
    ("nothing but the defaults", ""),
    ("log_statement", "SET log_statement = 'all'"),
    ("log_min_duration_statement", "SET log_min_duration_statement = 0"),
    (
        "samples",
        "SET log_min_duration_sample = 0; SET log_statement_sample_rate = 1; SET log_transaction_sample_rate = 1",
    ),
    (
        "parameters",
        "SET log_statement = 'all'; SET log_duration = on; SET log_parameter_max_length = -1;
         SET log_parameter_max_length_on_error = -1",
    ),
    (
        "cut parameters",
        "SET log_min_duration_statement = 0; SET log_parameter_max_length = 22; SET log_parameter_max_length_on_error = 22",
    ),
    (
        "errors",
        "SET log_min_error_statement = 'debug5'; SET log_error_verbosity = 'verbose';
         SET log_parameter_max_length_on_error = -1; SET backtrace_functions = 'jsonb_in,pg_strtoint32'",
    ),
    ("debugging", "SET log_min_messages = 'debug5'; SET log_min_error_statement = 'debug5'"),
    (
        "trees",
        "SET debug_print_parse = on; SET debug_print_rewritten = on; SET debug_print_plan = on",
    ),
    (
        "flat trees",
        "SET debug_print_parse = on; SET debug_print_rewritten = on; SET debug_print_plan = on; SET debug_pretty_print = off",
    ),
    (
        "statistics of statements",
        "SET log_statement_stats = on; SET log_statement = 'all'",
    ),
    ("auto_explain", AUTO_EXPLAIN),
    ("auto_explain, json", AUTO_EXPLAIN_JSON),
    ("auto_explain, xml", AUTO_EXPLAIN_XML),
    ("auto_explain, yaml", AUTO_EXPLAIN_YAML),
    ("pgaudit", PGAUDIT),
    (
        "no standard strings",
        "SET standard_conforming_strings = off; SET escape_string_warning = off; SET log_statement = 'all'",
    ),
];

/// Those that need a library which may be missing.
pub const OF_PGAUDIT: &str = "pgaudit";

const AUTO_EXPLAIN: &str = "SET auto_explain.log_min_duration = 0; SET auto_explain.log_nested_statements = on;
    SET auto_explain.log_verbose = on; SET auto_explain.log_analyze = on; SET auto_explain.log_triggers = on";
const AUTO_EXPLAIN_JSON: &str = "SET auto_explain.log_min_duration = 0; SET auto_explain.log_nested_statements = on;
    SET auto_explain.log_verbose = on; SET auto_explain.log_format = 'json'; SET auto_explain.log_settings = on";
const AUTO_EXPLAIN_XML: &str =
    "SET auto_explain.log_min_duration = 0; SET auto_explain.log_nested_statements = on;
    SET auto_explain.log_verbose = on; SET auto_explain.log_format = 'xml'";
const AUTO_EXPLAIN_YAML: &str =
    "SET auto_explain.log_min_duration = 0; SET auto_explain.log_nested_statements = on;
    SET auto_explain.log_verbose = on; SET auto_explain.log_format = 'yaml'";
const PGAUDIT: &str =
    "SET pgaudit.log = 'all'; SET pgaudit.log_parameter = on; SET pgaudit.log_relation = on;
    SET pgaudit.log_rows = on; SET pgaudit.log_catalog = on";
