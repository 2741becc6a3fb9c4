-- The encrypted column. On disk and in binary form it is an envelope, in text form "tv1." and base64url.
-- No equality, no ordering, no hash on purpose: equal plaintexts must not be seen to be equal.

CREATE TYPE vault.secret (
    INPUT   = vault.secret_in,
    OUTPUT  = vault.secret_out,
    RECEIVE = vault.secret_recv,
    SEND    = vault.secret_send,
    INTERNALLENGTH = VARIABLE,
    STORAGE = external,      -- ciphertext does not compress
    CATEGORY = 'U'
);
COMMENT ON TYPE vault.secret IS 'a value encrypted by token_vault; vault.reveal() gives its plaintext to roles that may';

-- Expressions, and drivers that send strings as varchar, reach the type by the assignment cast; it encrypts.
CREATE CAST (text AS vault.secret) WITH FUNCTION vault.secret_from_text(text) AS ASSIGNMENT;
CREATE CAST (varchar AS vault.secret) WITH FUNCTION vault.secret_from_text(text) AS ASSIGNMENT;
