//! Somebody was there before CREATE EXTENSION: with the schema's name, with objects of our names, with default privileges.
//! It is refused with a message that says what to do, or makes exactly what it makes in an empty database.

use postgres::Client;
use token_vault_cluster::{Cluster, Options, Result};

use crate::attack_shadow::sprung;
use crate::session::{complaint, sqlstate};

/// Plants an object of every name.
const SHADOWS: &str = include_str!("../attack/shadow.sql");

const INSTALL: &str = "CREATE EXTENSION token_vault";

/// What stands in the catalogs for each object of the schema, however it was parsed.
const DEFINITIONS: &str = "
    SET search_path = pg_catalog;
    CREATE TEMP TABLE definition AS
    SELECT 'view ' || oid::regclass || pg_get_viewdef(oid) AS text FROM pg_class WHERE relnamespace = 'vault'::regnamespace AND relkind = 'v'
    UNION ALL SELECT 'constraint ' || conrelid::regclass || conname || pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'vault'::regnamespace
    UNION ALL SELECT 'index ' || pg_get_indexdef(indexrelid) FROM pg_index JOIN pg_class AS c ON c.oid = indrelid WHERE relnamespace = 'vault'::regnamespace
    UNION ALL SELECT 'default ' || adrelid::regclass || adnum || pg_get_expr(adbin, adrelid)
        FROM pg_attrdef JOIN pg_class AS c ON c.oid = adrelid WHERE relnamespace = 'vault'::regnamespace
    UNION ALL SELECT 'column ' || attrelid::regclass || attname || format_type(atttypid, atttypmod)
        FROM pg_attribute JOIN pg_class AS c ON c.oid = attrelid WHERE relnamespace = 'vault'::regnamespace AND attnum > 0
    UNION ALL SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'vault'::regnamespace
    UNION ALL SELECT 'cast ' || castsource::regtype || casttarget::regtype || castfunc::regprocedure || castcontext::text
        FROM pg_cast WHERE casttarget = 'vault.secret'::regtype OR castsource = 'vault.secret'::regtype
    UNION ALL SELECT 'type ' || typinput::regprocedure || typoutput::regprocedure || typreceive::regprocedure || typsend::regprocedure
        FROM pg_type WHERE oid = 'vault.secret'::regtype
    UNION ALL SELECT 'provider ' || p::text FROM vault.provider AS p;
    RESET search_path";

/// Who besides the owner may do what with the vault's objects.
const PRIVILEGES: &str = "
    SELECT object || ': ' || pg_catalog.pg_get_userbyid(grantee) || privilege_type
    FROM (SELECT oid::pg_catalog.regclass::text, relacl, relowner FROM pg_catalog.pg_class WHERE relnamespace = 'vault'::pg_catalog.regnamespace
          UNION ALL SELECT oid::pg_catalog.regprocedure::text, proacl, proowner FROM pg_catalog.pg_proc WHERE pronamespace = 'vault'::pg_catalog.regnamespace
          UNION ALL SELECT oid::pg_catalog.regtype::text, typacl, typowner FROM pg_catalog.pg_type WHERE typnamespace = 'vault'::pg_catalog.regnamespace
          UNION ALL SELECT nspname, nspacl, nspowner FROM pg_catalog.pg_namespace WHERE nspname = 'vault') AS o (object, acl, owner),
         pg_catalog.aclexplode(acl)
    WHERE grantee <> owner";

/// A cluster with an unprivileged role that may create what it likes in any database made by [`database`].
fn start() -> Result<Cluster> {
    let cluster = Cluster::start_new(&Options::new().without_fsync())?;
    cluster.psql(
        "postgres",
        "CREATE ROLE mallory LOGIN; CREATE ROLE reporting",
    )?;
    Ok(cluster)
}

/// A new database, and sessions of mallory and the superuser in it.
fn database(cluster: &Cluster, name: &str) -> Result<(Client, Client)> {
    cluster.createdb(name)?;
    let mut db = cluster.connect(name, "postgres")?;
    db.batch_execute(&format!(
        "GRANT CREATE ON DATABASE {name} TO mallory; GRANT CREATE ON SCHEMA public TO mallory"
    ))?;
    Ok((cluster.connect(name, "mallory")?, db))
}

fn texts(db: &mut Client, query: &str) -> Result<Vec<String>> {
    Ok(db.query(query, &[])?.iter().map(|row| row.get(0)).collect())
}

/// What an installed extension consists of.
fn definitions(db: &mut Client) -> Result<Vec<String>> {
    db.batch_execute(DEFINITIONS)?;
    let definitions = texts(
        db,
        "SELECT text FROM pg_temp.definition ORDER BY text COLLATE pg_catalog.\"C\"",
    )?;
    assert!(definitions.len() > 400, "{}", definitions.len());
    Ok(definitions)
}

#[test]
fn a_schema_of_somebody_else_is_left_alone_and_the_message_says_what_to_do() -> Result<()> {
    let cluster = start()?;
    for (number, squatting) in [
        "SELECT",
        "CREATE FUNCTION vault.get_token(text, text) RETURNS text LANGUAGE sql AS 'SELECT NULL::text'",
        "CREATE DOMAIN vault.secret AS text",
        "CREATE TABLE vault.token (access_token text)",
        "CREATE FUNCTION vault.equal(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT true';
         CREATE OPERATOR vault.= (LEFTARG = text, RIGHTARG = text, FUNCTION = vault.equal)",
        "CREATE TYPE vault.secret",
    ]
    .into_iter()
    .enumerate()
    {
        let (mut mallory, mut db) = database(&cluster, &format!("squat{number}"))?;
        mallory.batch_execute("CREATE SCHEMA vault")?;
        // A shell type takes a superuser; left behind by a restore that failed, say.
        let squatter = if squatting.ends_with("TYPE vault.secret") { &mut db } else { &mut mallory };
        squatter.batch_execute(squatting)?;
        let objects = "SELECT pg_describe_object(classid, objid, 0) FROM pg_depend WHERE refobjid = 'vault'::regnamespace ORDER BY 1";
        let before = texts(&mut db, objects)?;
        assert_eq!(sqlstate(db.batch_execute(INSTALL)), "42P06", "{squatting}");
        let told = complaint(db.batch_execute(INSTALL));
        assert!(told.contains("role \"mallory\"") && told.contains("drop or rename that schema"), "{told}");
        assert_eq!(texts(&mut db, objects)?, before, "{squatting}");
        db.batch_execute("DROP SCHEMA vault CASCADE")?;
        db.batch_execute(INSTALL)?;
    }
    Ok(())
}

#[test]
fn only_a_superuser_installs_it_and_only_in_its_own_schema() -> Result<()> {
    let cluster = start()?;
    let (mut mallory, mut db) = database(&cluster, "app")?;
    assert_eq!(sqlstate(mallory.batch_execute(INSTALL)), "42501");
    db.batch_execute("CREATE SCHEMA other")?;
    assert_eq!(
        sqlstate(db.batch_execute("CREATE EXTENSION token_vault SCHEMA other")),
        "0A000"
    );
    db.batch_execute(INSTALL)?;
    // Nobody who may create objects in the database may do so in the vault.
    assert_eq!(
        sqlstate(mallory.batch_execute("CREATE TABLE vault.mine (a integer)")),
        "42501"
    );
    Ok(())
}

#[test]
fn planted_objects_of_every_name_change_nothing_of_what_is_installed() -> Result<()> {
    let cluster = start()?;
    let (_, mut clean) = database(&cluster, "clean")?;
    clean.batch_execute(INSTALL)?;
    let expected = definitions(&mut clean)?;

    let (_, mut db) = database(&cluster, "planted")?;
    db.batch_execute(SHADOWS)?;
    // The simple protocol: a session whose plans and path are the attacker's from its beginning.
    let mut installer = cluster.connect("planted", "postgres")?;
    installer.batch_execute(
        "CALL evil.plant_relations('pg_temp'); SET search_path = evil, pg_temp, public, pg_catalog",
    )?;
    installer.batch_execute(INSTALL)?;
    assert_eq!(definitions(&mut db)?, expected);
    assert_eq!(sprung(&mut db)?, 0);
    Ok(())
}

/// Administrators open what will be created to roles that report, or to everybody. The vault is no such thing.
#[test]
fn default_privileges_open_nothing_of_the_vault() -> Result<()> {
    let cluster = start()?;
    let (_, mut db) = database(&cluster, "app")?;
    for kind in ["TABLES", "SEQUENCES", "ROUTINES", "TYPES", "SCHEMAS"] {
        db.batch_execute(&format!("ALTER DEFAULT PRIVILEGES GRANT ALL ON {kind} TO PUBLIC, mallory; ALTER DEFAULT PRIVILEGES GRANT ALL ON {kind} TO reporting WITH GRANT OPTION"))?;
    }
    db.batch_execute(INSTALL)?;
    assert_eq!(texts(&mut db, PRIVILEGES)?, [""; 0]);
    let mut reporting = cluster.connect("app", "mallory")?;
    assert_eq!(
        sqlstate(reporting.batch_execute("SELECT FROM vault.token")),
        "42501"
    );
    Ok(())
}
