// Login and consent without a person: whoever login_hint names logs in and agrees to everything that was asked for.

export function completeInteraction(provider) {
  return async (context, next) => {
    if (context.method !== 'GET' || !context.path.startsWith('/interaction/')) return next();
    const details = await provider.interactionDetails(context.req, context.res);
    context.respond = false; // The provider writes the redirect itself.
    return provider.interactionFinished(context.req, context.res, await result(provider, details));
  };
}

async function result(provider, { prompt, params, session, grantId }) {
  if (prompt.name === 'login') {
    if (!params.login_hint) return { error: 'access_denied', error_description: 'login_hint is missing' };
    return { login: { accountId: params.login_hint } };
  }
  const known = grantId && (await provider.Grant.find(grantId));
  const grant = known || new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  return { consent: { grantId: await grant.save() } };
}
