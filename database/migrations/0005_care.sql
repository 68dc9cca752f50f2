-- What care and billing must be able to prove: consents, orders, monitoring episodes, visits, stays,
-- what other practices billed, discharges. Each row says when it was written and by whom.

create table consent (
  id uuid primary key default gen_random_uuid(),
  organisation_id uuid not null references organisation,
  patient_id uuid not null references patient,
  programme text not null,                      -- RPM, RTM, CCM, APCM, CHI, ...: what is billed under it
  given_at timestamptz not null,
  method text not null,                         -- written, verbal_documented
  withdrawn_at timestamptz,
  text_version text not null default '',
  cost_share_told boolean not null default false,
  one_practitioner_told boolean not null default false,
  recorded_by uuid references staff,
  recorded_at timestamptz not null default now()
);
create index consent_patient on consent (patient_id, programme, given_at);
select isolate('consent');

create table clinical_order (
  id uuid primary key default gen_random_uuid(),
  organisation_id uuid not null references organisation,
  patient_id uuid not null references patient,
  programme text not null,
  ordered_at timestamptz not null,
  ended_at timestamptz,
  ordering_npi text not null,
  icd10 text[] not null,
  goal text not null default '',
  recorded_by uuid references staff,
  recorded_at timestamptz not null default now()
);
create index clinical_order_patient on clinical_order (patient_id, programme, ordered_at);
select isolate('clinical_order');

-- one stretch of monitoring: device windows are counted from its first counted day
create table monitoring_episode (
  id uuid primary key default gen_random_uuid(),
  organisation_id uuid not null references organisation,
  patient_id uuid not null references patient,
  programme text not null,                      -- RPM, RTM
  rtm_system text,                              -- respiratory, musculoskeletal, behavioural
  started_on date not null,
  ended_on date,
  education_on date,                            -- set-up and patient education done
  education_by uuid references staff,
  education_note text not null default '',
  setup_billed boolean not null default false
);
create index monitoring_episode_patient on monitoring_episode (patient_id, started_on);
select isolate('monitoring_episode');

create table visit (
  id uuid primary key default gen_random_uuid(),
  organisation_id uuid not null references organisation,
  patient_id uuid not null references patient,
  on_date date not null,
  kind text not null,                           -- em (evaluation and management), initiating_chi, tcm_face_to_face, ...
  npi text,
  billed boolean not null default true,
  note text not null default ''
);
create index visit_patient on visit (patient_id, on_date);
select isolate('visit');

create table inpatient_stay (
  id uuid primary key default gen_random_uuid(),
  organisation_id uuid not null references organisation,
  patient_id uuid not null references patient,
  from_date date not null,
  to_date date,
  facility text not null default '',
  qualifying boolean not null default true,
  to_community boolean,
  decision_making text,                         -- moderate, high: medical decision making at discharge
  check (to_date is null or to_date >= from_date)
);
create index inpatient_stay_patient on inpatient_stay (patient_id, from_date);
select isolate('inpatient_stay');

create table external_claim (
  id uuid primary key default gen_random_uuid(),
  organisation_id uuid not null references organisation,
  patient_id uuid not null references patient,
  code text not null,
  billing_npi text not null,
  from_date date not null,
  to_date date not null,
  learned_at timestamptz not null default now()
);
create index external_claim_patient on external_claim (patient_id, from_date);
select isolate('external_claim');

-- dated facts that some code families need: comprehensive_care_plan, capabilities_attested, qmb, ...
create table care_fact (
  id uuid primary key default gen_random_uuid(),
  organisation_id uuid not null references organisation,
  patient_id uuid not null references patient,
  name text not null,
  value jsonb not null,
  on_date date not null,
  recorded_by uuid references staff,
  recorded_at timestamptz not null default now()
);
create index care_fact_patient on care_fact (patient_id, name, on_date desc);
select isolate('care_fact');
