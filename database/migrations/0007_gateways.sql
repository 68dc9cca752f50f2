-- Gateways: one-time codes, broker credentials, commands, and how the devices of a home are set up.

create table gateway_code (
  code_hash bytea primary key,                  -- sha256 of the code; the code itself is nowhere
  organisation_id uuid not null references organisation,
  gateway_id text not null references gateway,
  broker jsonb not null,                        -- where the box shall connect: host, port, tls, ca
  created_by text not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  used_at timestamptz
);
create index gateway_code_gateway on gateway_code (gateway_id) where used_at is null;
select isolate('gateway_code');
-- enrolment happens before an organisation is known: one code by its hash, nothing else
create function gateway_enrolling(hash bytea) returns setof gateway_code
  language sql volatile security definer set search_path = public, pg_temp as
  $$ select * from gateway_code where code_hash = hash for update $$;

-- what the broker compares; the password itself is only in the box
create table gateway_credential (
  gateway_id text primary key references gateway,
  organisation_id uuid not null references organisation,
  password_hash text not null,                  -- mosquitto's form: $7$iterations$salt$PBKDF2-SHA512
  set_at timestamptz not null,
  next_hash text,                               -- being handed over; takes over when the box has it
  next_command uuid
);
select isolate('gateway_credential');

-- orders to boxes and what became of them; secrets are not kept here
create table gateway_command (
  id uuid primary key,
  organisation_id uuid not null references organisation,
  gateway_id text not null references gateway,
  command text not null,                        -- pair, forget, set_clock, report_now, rotate_credential
  device_id text,
  ordered_by text not null,
  ordered_at timestamptz not null,
  expires_at timestamptz not null,
  answered_at timestamptz,
  ok boolean,
  reason text
);
create index gateway_command_gateway on gateway_command (gateway_id, ordered_at desc);
select isolate('gateway_command');

-- what a box must know of a device before it meets it
create table device_setup (
  device_id text primary key references device,
  organisation_id uuid not null references organisation,
  address text not null default '',             -- Bluetooth
  name text not null default '',                -- as advertised
  passkey text,
  consent_user smallint not null default 1,
  consent_code integer,
  expected_every_hours real
);
select isolate('device_setup');
