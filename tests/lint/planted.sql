-- What pgspot must find: each statement is one of the faults that have made extensions vulnerable.
CREATE SCHEMA IF NOT EXISTS planted;                                        -- PS010: adopts somebody else's schema
CREATE OR REPLACE FUNCTION public.planted() RETURNS integer                 -- PS002: adopts somebody else's function
    LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';                            -- PS003: runs under the caller's search_path
CREATE TABLE planted.pair (a pg_catalog.int4 CHECK (a > 0));                -- PS001: an operator from the search_path
SELECT lower('planted');                                                    -- PS016: a function
SELECT 'planted'::text;                                                     -- PS017: a type
