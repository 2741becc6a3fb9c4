-- What the other files rely on: the extension, a key, a provider, and helpers. Runs first.
CREATE EXTENSION token_vault;
DO $$ BEGIN PERFORM vault.create_master_key(); END $$;

-- Nothing answers at .example (RFC 2606), and refreshing is off in this server.
SELECT vault.register_provider('acme', 'https://auth.acme.example/token');

-- The SQLSTATE a statement ends with.
CREATE FUNCTION outcome(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END
$$;

-- Everything a client or the log may be told by the error of a statement with parameter $1.
CREATE FUNCTION said(statement text, parameter text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    message text; detail text; hint text; context text; tab text; col text;
BEGIN
    EXECUTE statement USING parameter;
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT,
        context = PG_EXCEPTION_CONTEXT, tab = TABLE_NAME, col = COLUMN_NAME;
    RETURN concat_ws(E'\n', SQLSTATE, message, detail, hint, context, tab, col);
END
$$;
