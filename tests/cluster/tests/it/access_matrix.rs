//! Every role against every tenant and every function: who is let in, and who is not. PostgreSQL's own EXECUTE is
//! granted to all of them, so that what refuses is the function itself.

use postgres::Client;
use token_vault_cluster::{Cluster, Options, Result};

use crate::access_matrix_calls::{About, CALLS, Call, NOT_CALLABLE};
use crate::master_key::register_provider;
use crate::tenant_proof::{add_authority, proof};

const PRIVILEGES: [&str; 6] = ["read", "write", "refresh", "export", "restore", "admin"];
const TENANTS: [&str; 2] = ["blue", "red"];
const REFUSED: &str = "42501";
const OTHER_TENANT: &str = "TV041";
const NO_PROOF: &str = "TV043";

/// How far the rule of a role reaches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Reach {
    /// Everything.
    All,
    /// Tenant `blue`.
    Blue,
    /// Subject `ann` at `acme` in tenant `blue`.
    One,
}

impl Reach {
    const ALL: [Reach; 3] = [Reach::All, Reach::Blue, Reach::One];

    /// The further arguments of `grant_access`.
    fn arguments(self) -> &'static str {
        match self {
            Reach::All => "",
            Reach::Blue => ", tenant => 'blue'",
            Reach::One => ", tenant => 'blue', provider => 'acme', subject => 'ann'",
        }
    }

    fn covers(self, about: About, tenant: &str) -> bool {
        match (self, about) {
            (_, About::Open | About::Rows) | (Reach::All, _) => true,
            (_, About::Vault) => false,
            (Reach::Blue, _) => tenant == "blue",
            (Reach::One, About::Token | About::Subject) => tenant == "blue",
            (Reach::One, _) => false,
        }
    }
}

fn role(privilege: &str, reach: Reach) -> String {
    format!("{privilege}_{reach:?}").to_lowercase()
}

/// A vault with a token, a client and an encrypted value in each tenant, a role for each privilege and reach, and one
/// with no rule.
fn start() -> Result<(Cluster, Client)> {
    let options = Options::new()
        .without_fsync()
        .set("token_vault.refresh_enabled", "off");
    let cluster = Cluster::start_new(&options)?;
    let mut db = cluster.create_vault("app")?;
    register_provider(&mut db)?;
    db.batch_execute(
        "CREATE TABLE webhook (key vault.secret); INSERT INTO webhook VALUES ('whsec'::text); GRANT SELECT ON webhook TO PUBLIC;
         CREATE ROLE nobody",
    )?;
    for tenant in TENANTS {
        db.batch_execute(&format!(
            "SELECT vault.register_client('app', 'acme', 'id', 'cs', tenant => '{tenant}');
             SELECT vault.store_token('acme', 'ann', 'at', 'rt', tenant => '{tenant}')"
        ))?;
    }
    let mut roles = vec!["nobody".to_owned()];
    for (privilege, reach) in PRIVILEGES
        .into_iter()
        .flat_map(|privilege| Reach::ALL.map(|reach| (privilege, reach)))
    {
        let name = role(privilege, reach);
        let patterns = reach.arguments();
        db.batch_execute(&format!(
            "CREATE ROLE {name}; SELECT vault.grant_access('{name}', '{{{privilege}}}'{patterns})"
        ))?;
        roles.push(name);
    }
    let roles = roles.join(", ");
    db.batch_execute(&format!(
        "GRANT USAGE ON SCHEMA vault TO {roles}; GRANT USAGE ON TYPE vault.secret TO {roles};
         GRANT EXECUTE ON ALL ROUTINES IN SCHEMA vault TO {roles}"
    ))?;
    Ok((cluster, db))
}

/// The SQLSTATE that a call ends with, in a transaction that is rolled back; empty: it succeeds.
fn outcome(db: &mut Client, preparation: &str, call: &Call, tenant: &str) -> Result<String> {
    let sql = call.sql.replace("{tenant}", tenant);
    db.batch_execute(&format!("BEGIN; {preparation}"))?;
    let state = match db.batch_execute(&sql) {
        Ok(()) => String::new(),
        Err(error) => error
            .code()
            .ok_or_else(|| format!("{sql}: {error}"))?
            .code()
            .to_owned(),
    };
    db.batch_execute("ROLLBACK")?;
    Ok(state)
}

/// A new function needs a line in the list of calls.
#[test]
fn every_function_is_in_the_matrix() -> Result<()> {
    let (_cluster, mut db) = start()?;
    let mut listed: Vec<&str> = CALLS.iter().map(|call| call.function).collect();
    listed.extend(NOT_CALLABLE);
    listed.sort_unstable();
    let there: Vec<String> = db
        .query(
            "SELECT proname::text COLLATE \"C\" FROM pg_proc WHERE pronamespace = 'vault'::regnamespace ORDER BY 1",
            &[],
        )?
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert_eq!(listed, there);
    Ok(())
}

#[test]
fn each_function_lets_in_who_has_the_right_for_what_it_is_about() -> Result<()> {
    let (cluster, mut db) = start()?;
    let mut wrong = Vec::new();
    for call in CALLS {
        for tenant in TENANTS {
            // A value has no argument that names its tenant.
            let bind = match call.about {
                About::Value => format!("SET LOCAL token_vault.tenant = '{tenant}';"),
                _ => String::new(),
            };
            let mut check = |name: &str, is_allowed: bool| -> Result<()> {
                let state = outcome(
                    &mut db,
                    &format!("{bind} SET LOCAL ROLE {name}"),
                    call,
                    tenant,
                )?;
                if (state != REFUSED) != is_allowed {
                    wrong.push(format!(
                        "{name}, {tenant}: {} ended with \"{state}\"",
                        call.sql
                    ));
                }
                Ok(())
            };
            check("nobody", call.about == About::Open)?;
            for privilege in PRIVILEGES {
                let is_asked_for = call.about == About::Open || call.privilege == privilege;
                for reach in Reach::ALL {
                    let is_allowed = is_asked_for && reach.covers(call.about, tenant);
                    check(&role(privilege, reach), is_allowed)?;
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    cluster.assert_never_crashed();
    Ok(())
}

/// Who has every right there is keeps to the tenant of the session.
#[test]
fn a_session_that_is_bound_to_a_tenant_reaches_no_other() -> Result<()> {
    let (_cluster, mut db) = start()?;
    let database = "app";
    add_authority(&mut db, "app", 1)?;
    let by_setting = "SET LOCAL token_vault.tenant = 'blue'".to_owned();
    let by_proof = format!(
        "SELECT vault.enter_tenant('blue', '{}', is_local => true)",
        proof(1, "blue", database)
    );
    let mut wrong = Vec::new();
    for (binding, has_proof) in [(by_setting, false), (by_proof, true)] {
        for call in CALLS {
            for tenant in TENANTS {
                let is_refused = match call.about {
                    About::Open | About::Rows | About::Value => false,
                    About::Vault => has_proof,
                    _ => tenant == "red",
                };
                let state = outcome(&mut db, &binding, call, tenant)?;
                if (state == OTHER_TENANT) != is_refused || state == REFUSED {
                    wrong.push(format!(
                        "{has_proof}: {tenant}: {} ended with \"{state}\"",
                        call.sql
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

#[test]
fn where_a_proof_is_demanded_nothing_works_without() -> Result<()> {
    let (_cluster, mut db) = start()?;
    let mut wrong = Vec::new();
    for call in CALLS {
        let demand = "SET LOCAL token_vault.require_tenant_proof = on; SET LOCAL token_vault.tenant = 'blue'";
        let state = outcome(&mut db, demand, call, "blue")?;
        if (state == NO_PROOF) != (call.about != About::Open) {
            wrong.push(format!("{} ended with \"{state}\"", call.sql));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let visible: i64 = {
        let mut transaction = db.transaction()?;
        transaction.batch_execute("SET LOCAL token_vault.require_tenant_proof = on")?;
        transaction
            .query_one(
                "SELECT (SELECT count(*) FROM vault.tokens) + (SELECT count(*) FROM vault.clients) + (SELECT count(*) FROM vault.attention)
                      + (SELECT count(*) FROM vault.keys) + (SELECT count(*) FROM vault.access_rules)",
                &[],
            )?
            .get(0)
    };
    assert_eq!(visible, 0);
    Ok(())
}
