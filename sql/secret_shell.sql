-- The shell type, so that its input and output functions can be declared.
CREATE TYPE vault.secret;
