//! What the pages are given on AWS: everything that the functions are of which the API is made, and an issuer to sign in at.

use std::sync::Arc;

use shared::aws::{Cloud, CloudError, variable};
use shared::secrets::ReadSecret;
use shared::store::sessions::Sessions;

use crate::{Api, Deps, Functions, Oidc, OidcSettings, SignIn};

impl Deps {
    /// From what the function's role allows.
    ///
    /// # Errors
    /// A variable of the template's is not set, or an HTTP client can't be made.
    pub fn on(cloud: &Cloud) -> Result<Self, CloudError> {
        let functions = Functions {
            connections: connections::Deps::on(cloud)?,
            mappings: mappings::Deps::on(cloud)?,
            usage: usage::Deps::on(cloud)?,
            runs: runs::Deps::on(cloud)?,
            alerts: alerts::Deps::on(cloud)?,
            webhooks: webhooks::Deps::on(cloud)?,
        };
        Ok(Self {
            api: Api::new(functions),
            sessions: Sessions::new(cloud.table()),
            sign_in: SignIn::Oidc(Arc::new(Oidc::new(settings(cloud)?))),
            clock: cloud.clock.clone(),
        })
    }
}

fn settings(cloud: &Cloud) -> Result<OidcSettings, CloudError> {
    let issuer = variable("JWT_ISSUER")?;
    // Without a name the client is a public one, which proves itself by PKCE alone.
    let secret = Some(variable("CONSOLE_CLIENT_SECRET_NAME")?).filter(|name| !name.is_empty());
    Ok(OidcSettings {
        audience: variable("JWT_AUDIENCE")?,
        client_id: variable("CONSOLE_CLIENT_ID")?,
        client_secret: secret.map(|name| cloud.secret(name) as Arc<dyn ReadSecret>),
        scopes: variable("CONSOLE_SCOPES")?,
        address: variable("CONSOLE_ADDRESS")?,
        http: cloud.to_issuer(&issuer)?,
        issuer,
    })
}
