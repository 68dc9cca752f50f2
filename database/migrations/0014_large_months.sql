-- What a billing month of 100,000 patients needs.

-- a file of a month, piece by piece: writing, keeping and downloading it hold one piece at a time
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

-- a patient's enrolments, those that ended too: without it each patient of a month read everybody's
create index enrolment_patient on enrolment (patient_id, enrolled_at);
