//! What nearly every test begins with: a server that trusts the provider, a database in which the
//! extension works.

use postgres::Client;

use crate::options::line;
use crate::{Cluster, Result};

impl Cluster {
    /// Makes the extension trust a certificate authority (PEM), that of a provider beside the cluster.
    ///
    /// # Errors
    /// If its file cannot be written, or the server does not run.
    pub fn trust(&self, ca_pem: &str) -> Result<()> {
        let file = self.directory().join("provider-ca.pem");
        std::fs::write(&file, ca_pem)?;
        self.user.own(&file)?;
        self.configure(&line("token_vault.ca_file", &file.to_string_lossy()))?;
        self.reload()
    }

    /// Creates a database with the extension and a data key in it, under the cluster's master key, which the
    /// first one makes; returns a superuser's connection to it.
    ///
    /// # Errors
    /// What the server says.
    pub fn create_vault(&self, database: &str) -> Result<Client> {
        self.createdb(database)?;
        let mut client = self.connect(database, "postgres")?;
        client.batch_execute("CREATE EXTENSION token_vault; SELECT vault.create_master_key()")?;
        Ok(client)
    }
}
