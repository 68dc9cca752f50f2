-- how deploy/bench/long_file.py makes a month of many lines: each judged patient is copied so often, with facts and lines
-- part
create temp table twin as
select p.id as was, gen_random_uuid() as id, n
from patient p, generate_series(%(after)s + 1, %(until)s) as n where mrn not like '%%/%%'
-- part
insert into patient (id, organisation_id, mrn, family_name, given_name, birth_date, sex, time_zone, conditions)
select t.id, organisation_id, mrn || '/' || n, family_name, given_name, birth_date, sex, time_zone, conditions
from twin t join patient p on p.id = t.was
-- part
insert into billing_patient (organisation_id, first, patient_id, sort_key, codes, ready, facts, evaluated_at)
select organisation_id, first, t.id, sort_key, codes, ready, jsonb_set(facts, '{patient,id}', to_jsonb(t.id)), evaluated_at
from twin t join billing_patient b on b.patient_id = t.was
-- part
insert into bill_line (organisation_id, first, patient_id, line_id, code, units, content, reading_ids, entry_ids, pack, pack_version,
  parameter_hash, made_at)
select organisation_id, first, t.id, line_id || '/' || n, code, units,
  content || jsonb_build_object('patient_id', t.id, 'id', line_id || '/' || n), reading_ids, entry_ids, pack, pack_version,
  parameter_hash, made_at
from twin t join bill_line b on b.patient_id = t.was
-- part
analyze
