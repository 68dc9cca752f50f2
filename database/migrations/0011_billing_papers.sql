-- What a reviewer asks of a device: who made it, its UDI and listing, and whether its readings may make a day count.

create table device_paper (
  device_id text primary key references device,
  organisation_id uuid not null references organisation,
  make text not null default '',
  udi text not null default '',                 -- unique device identifier, as on the label
  listing text not null default '',             -- listing or clearance number with the FDA
  fda_listed boolean,                           -- null: nobody has looked; false: its readings make no day count
  more_specific_code text not null default '',  -- a monitoring code of its own, which goes before RPM supply
  recorded_by uuid references staff,
  recorded_at timestamptz not null default now()
);
select isolate('device_paper');
