-- The chain: SHA-256 of a fixed field list and of the member's previous transfer. One edited byte shows.
CREATE OR REPLACE FUNCTION ledger_hash(
    member bigint, seq bigint, kind text, document_id text, reverses bigint, at timestamptz, digest bytea, body text, previous bytea
) RETURNS bytea LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT sha256(convert_to(concat_ws('|', 'v1', member, seq, kind, coalesce(document_id, ''), coalesce(reverses, 0),
        (extract(epoch FROM at) * 1000000)::bigint, encode(digest, 'hex'), body, encode(previous, 'hex')), 'UTF8'))
$$;
