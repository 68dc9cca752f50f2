-- What keeps the pages quick among 100,000 patients and 50,000 open alerts.

-- every policy that holds staff to their teams asks for the patients of closed teams
create index patient_care_team on patient (care_team_id);

-- what is late or soon due is counted from this index alone
create index episode_due on episode (organisation_id, due_at) include (owner_id, snoozed_until, patient_id) where closed_at is null;

-- filters of the worklist: by programme and by measurement
create index enrolment_programme on enrolment (organisation_id, programme, patient_id) where ended_at is null;
create index alert_kind on alert (organisation_id, kind) include (episode_id, patient_id) where closed_at is null;

-- What the filters offer, found by leaping from one value to the next and never by reading every patient; inside the
-- barrier, as arrays are compared by functions that are not leakproof. Names of languages and conditions, nobody's data.
create index patient_language on patient (organisation_id, language);
create index patient_conditions on patient (organisation_id, conditions);
create function filter_choices() returns table (conditions text[], languages text[], programmes text[])
  language sql stable security definer set search_path = public, pg_temp as $$
  with recursive
  c(v) as ((select p.conditions from patient p where p.organisation_id = current_organisation() order by 1 limit 1)
    union all select (select p.conditions from patient p where p.organisation_id = current_organisation() and p.conditions > v order by 1 limit 1)
    from c where v is not null),
  l(v) as ((select p.language from patient p where p.organisation_id = current_organisation() order by 1 limit 1)
    union all select (select p.language from patient p where p.organisation_id = current_organisation() and p.language > v order by 1 limit 1)
    from l where v is not null),
  n(v) as ((select e.programme from enrolment e where e.organisation_id = current_organisation() and e.ended_at is null order by 1 limit 1)
    union all select (select e.programme from enrolment e where e.organisation_id = current_organisation() and e.ended_at is null and e.programme > v order by 1 limit 1)
    from n where v is not null)
  select array(select distinct unnest(v) from c order by 1), array(select v from l where v is not null), array(select v from n where v is not null)
$$;
