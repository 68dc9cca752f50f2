-- A file of a billing month, piece by piece: writing, keeping and downloading it hold one piece at a time.

create table billing_export_piece (
  export_id uuid not null references billing_export on delete cascade,
  place integer not null,                       -- 0, 1, 2, ... without gaps
  organisation_id uuid not null references organisation,
  content bytea not null,
  primary key (export_id, place)
);
select isolate('billing_export_piece');

-- files kept before hold their bytes here; those kept from now on leave it empty
alter table billing_export alter column content set default '';
