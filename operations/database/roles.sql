-- Who may do what in the database of the platform. Idempotent: it makes what is missing and takes back what is too much.
--
-- Run it in the platform's database, always as the same login, `postgres`: a member of cloudsqlsuperuser, which has
-- CREATEROLE and owns the database, and no superuser. `make database-roles` does; docs/database.md says when.
--
--   aiprod_owner   owns every table, sequence, view, function and type of schema public, and may make more of them
--   aiprod_writer  reads and writes rows, uses sequences, calls functions
--   aiprod_reader  reads rows
--
-- None of them logs in. Members are found by the names of logins, which differ by project: accounts of the runtimes
-- as `aiprod-ROLE@PROJECT.iam`, and the two password users. Whoever is no member has none of these rights.
-- One statement is one transaction: on any error nothing of it stays.
DO $roles$
DECLARE
  executor CONSTANT name := current_user;
  -- Role, and the logins that are its members.
  members CONSTANT text[][] := ARRAY[
    ['aiprod_owner', '^aiprod-migration@[a-z0-9.:-]+\.iam$'],
    ['aiprod_writer', '^(aiprod-(api|worker|batch)@[a-z0-9.:-]+\.iam|aiprod_application(_b)?)$'],
    ['aiprod_reader', '^aiprod-(verifier|grafana|drill)@[a-z0-9.:-]+\.iam$']
  ];
  grouped name;
  pattern text;
  item record;
BEGIN
  -- A lock that is not to be had ends it, rather than holding up everybody behind it.
  SET LOCAL lock_timeout = '5s';

  FOR position IN 1 .. array_length(members, 1) LOOP
    grouped := members[position][1];
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = grouped) THEN
      EXECUTE format('CREATE ROLE %I NOLOGIN', grouped);
    END IF;
  END LOOP;
  -- What the owner does below, whoever runs this does as its member, until the end.
  EXECUTE format('GRANT aiprod_owner TO %I', executor);

  -- The database: nobody makes schemas or temporary tables in it. CONNECT stays with everybody, since Google's own
  -- agents connect too; a login without a role reads nothing.
  EXECUTE format('REVOKE CREATE, TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
  EXECUTE format(
    'REVOKE ALL ON DATABASE %I FROM aiprod_owner, aiprod_writer, aiprod_reader', current_database());

  -- The schema.
  REVOKE CREATE ON SCHEMA public FROM PUBLIC;
  REVOKE ALL ON SCHEMA public FROM aiprod_owner, aiprod_writer, aiprod_reader;
  GRANT USAGE, CREATE ON SCHEMA public TO aiprod_owner;
  GRANT USAGE ON SCHEMA public TO aiprod_writer, aiprod_reader;

  -- What there is already belongs to the owner, but for what extensions bring.
  FOR item IN
    SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW'
             WHEN 'f' THEN 'FOREIGN TABLE' WHEN 'c' THEN 'TYPE' ELSE 'TABLE' END AS kind,
           c.oid::regclass::text AS object, c.relowner AS holder
    FROM pg_class AS c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'c')
      AND NOT EXISTS (
        SELECT FROM pg_depend AS d
        WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
          -- The sequence of a column goes with its table.
          AND (d.deptype = 'e' OR (c.relkind = 'S' AND d.deptype IN ('a', 'i'))))
    UNION ALL
    SELECT 'ROUTINE', p.oid::regprocedure::text, p.proowner
    FROM pg_proc AS p
    WHERE p.pronamespace = 'public'::regnamespace
      AND NOT EXISTS (
        SELECT FROM pg_depend AS d
        WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
    UNION ALL
    SELECT 'TYPE', t.oid::regtype::text, t.typowner
    FROM pg_type AS t
    WHERE t.typnamespace = 'public'::regnamespace AND t.typtype IN ('e', 'd')
      AND NOT EXISTS (
        SELECT FROM pg_depend AS d
        WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')
  LOOP
    IF item.holder = 'aiprod_owner'::regrole THEN
      CONTINUE;
    END IF;
    IF NOT pg_has_role(executor, item.holder, 'USAGE') THEN
      RAISE EXCEPTION '% % must belong to a role of which % is a member, it belongs to %: GRANT % TO %, then repeat',
        lower(item.kind), item.object, executor, pg_get_userbyid(item.holder), pg_get_userbyid(item.holder),
        executor;
    END IF;
    EXECUTE format('ALTER %s %s OWNER TO aiprod_owner', item.kind, item.object);
  END LOOP;

  FOR item IN
    SELECT c.relkind, c.oid::regclass::text AS object
    FROM pg_class AS c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
      AND c.relowner = 'aiprod_owner'::regrole
  LOOP
    IF item.relkind = 'S' THEN
      EXECUTE format('REVOKE ALL ON SEQUENCE %s FROM PUBLIC, aiprod_writer, aiprod_reader', item.object);
      EXECUTE format('GRANT USAGE, SELECT ON SEQUENCE %s TO aiprod_writer', item.object);
      EXECUTE format('GRANT SELECT ON SEQUENCE %s TO aiprod_reader', item.object);
    ELSE
      EXECUTE format('REVOKE ALL ON TABLE %s FROM PUBLIC, aiprod_writer, aiprod_reader', item.object);
      EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE %s TO aiprod_writer', item.object);
      EXECUTE format('GRANT SELECT ON TABLE %s TO aiprod_reader', item.object);
    END IF;
  END LOOP;
  FOR item IN
    SELECT p.oid::regprocedure::text AS object
    FROM pg_proc AS p
    WHERE p.pronamespace = 'public'::regnamespace AND p.proowner = 'aiprod_owner'::regrole
  LOOP
    EXECUTE format('REVOKE ALL ON ROUTINE %s FROM PUBLIC, aiprod_writer, aiprod_reader', item.object);
    EXECUTE format('GRANT EXECUTE ON ROUTINE %s TO aiprod_writer', item.object);
  END LOOP;

  -- What the owner makes later, in a migration, is covered the moment it is made.
  ALTER DEFAULT PRIVILEGES FOR ROLE aiprod_owner REVOKE EXECUTE ON ROUTINES FROM PUBLIC;
  ALTER DEFAULT PRIVILEGES FOR ROLE aiprod_owner IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO aiprod_writer;
  ALTER DEFAULT PRIVILEGES FOR ROLE aiprod_owner IN SCHEMA public GRANT SELECT ON TABLES TO aiprod_reader;
  ALTER DEFAULT PRIVILEGES FOR ROLE aiprod_owner IN SCHEMA public
    GRANT USAGE, SELECT ON SEQUENCES TO aiprod_writer;
  ALTER DEFAULT PRIVILEGES FOR ROLE aiprod_owner IN SCHEMA public GRANT SELECT ON SEQUENCES TO aiprod_reader;
  ALTER DEFAULT PRIVILEGES FOR ROLE aiprod_owner IN SCHEMA public GRANT EXECUTE ON ROUTINES TO aiprod_writer;

  -- Members: those whose names say so, and nobody else.
  FOR position IN 1 .. array_length(members, 1) LOOP
    grouped := members[position][1];
    pattern := members[position][2];
    FOR item IN
      SELECT r.rolname, r.rolname ~ pattern AS wanted,
             EXISTS (SELECT FROM pg_auth_members AS m WHERE m.roleid = grouped::regrole AND m.member = r.oid) AS given
      FROM pg_roles AS r
      WHERE r.rolname <> executor AND r.rolcanlogin
    LOOP
      IF item.wanted AND NOT item.given THEN
        EXECUTE format('GRANT %I TO %I', grouped, item.rolname);
      -- A cut-over that is under way owns what it copies until its `finish`, which drops its journal.
      ELSIF item.given AND NOT item.wanted AND NOT (
        item.rolname = 'cut_over' AND grouped = 'aiprod_owner' AND EXISTS (
          SELECT FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
          WHERE n.nspname = 'cut_over' AND c.relname = 'journal'))
      THEN
        EXECUTE format('REVOKE %I FROM %I', grouped, item.rolname);
      END IF;
    END LOOP;
  END LOOP;

  -- Cloud SQL makes every password user a member of cloudsqlsuperuser that may make roles and databases.
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'cloudsqlsuperuser') THEN
    FOR item IN
      SELECT r.rolname, r.rolcreaterole OR r.rolcreatedb AS makes,
             pg_has_role(r.oid, 'cloudsqlsuperuser', 'MEMBER') AS super
      FROM pg_roles AS r
      WHERE r.rolname ~ '^(aiprod-[a-z-]+@[a-z0-9.:-]+\.iam|aiprod_application(_b)?)$'
    LOOP
      BEGIN
        IF item.super THEN
          EXECUTE format('REVOKE cloudsqlsuperuser FROM %I', item.rolname);
        END IF;
        IF item.makes THEN
          EXECUTE format('ALTER ROLE %I NOCREATEROLE NOCREATEDB', item.rolname);
        END IF;
      EXCEPTION WHEN insufficient_privilege THEN
        RAISE WARNING '% keeps rights of cloudsqlsuperuser: % may not take them back', item.rolname, executor;
      END;
    END LOOP;
  END IF;

  EXECUTE format('REVOKE aiprod_owner FROM %I', executor);
END
$roles$;
