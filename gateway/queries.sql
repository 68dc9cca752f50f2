-- name: schema
-- Everything the box must remember over a power cut. Times are ISO 8601 text in UTC with
-- microseconds (they sort as text) except due_at, which is epoch seconds.
create table if not exists meta (key text primary key, value blob not null) without rowid;
create table if not exists device (
    identity text primary key,
    address text unique,
    model text not null default '',
    name text not null default '',
    enrolled integer not null default 0,
    passkey blob,
    last_sequence integer,
    fetched_all_at text,
    last_seen text,
    last_read text,
    rssi integer,
    battery integer,
    firmware text,
    bonded integer,
    offset_s real,
    clock_wanted integer not null default 0
) without rowid;
create table if not exists forgotten (
    identity text primary key,
    address text not null
) without rowid;
create table if not exists visit (
    id integer primary key autoincrement,
    device text not null,
    model text not null,
    quirk text,
    synced integer not null,
    clock_known integer not null default 0,
    offset_s real,
    set_offset_s real,
    ended integer not null default 0
);
create table if not exists frame (
    id integer primary key autoincrement,
    key blob not null unique,
    visit integer not null references visit (id),
    characteristic text not null,
    body blob not null,
    at text not null,
    fetched integer not null
);
create table if not exists outgoing (
    id blob primary key,
    position integer not null,
    kind text not null,
    device text not null,
    model text not null,
    body blob not null,
    at text not null,
    live integer not null,
    due_at real not null default 0,
    attempts integer not null default 0
) without rowid;
create index if not exists outgoing_order on outgoing (position);
create index if not exists outgoing_due on outgoing (due_at);
create index if not exists outgoing_tried on outgoing (due_at) where attempts > 0;
create index if not exists outgoing_live on outgoing (at) where live = 1 and attempts = 0;
create table if not exists seen (id blob primary key, position integer not null) without rowid;
create index if not exists seen_order on seen (position);
create table if not exists command (
    id blob primary key,
    body blob not null,
    expires_at text not null,
    result blob,
    told integer not null default 0
) without rowid;

-- name: meta_get
select value from meta where key = ?

-- name: meta_put
insert into meta (key, value) values (?, ?) on conflict (key) do update set value = excluded.value

-- name: visit_begin
insert into visit (device, model, quirk, synced, clock_known, offset_s) values (?, ?, ?, ?, ?, ?)

-- name: visit_clock
update visit set clock_known = 1, offset_s = ? where id = ?

-- name: visit_clock_set
update visit set set_offset_s = ? where id = ?

-- name: visit_end
update visit set ended = 1, clock_known = 1 where id = ?

-- name: visits_interrupted
-- Whatever was open when the power went cannot learn more.
update visit set ended = 1, clock_known = 1 where ended = 0

-- name: visits_forget
-- A visit is kept only as long as a frame refers to it.
delete from visit where ended = 1 and not exists (select 1 from frame where frame.visit = visit.id)

-- name: frame_put
insert into frame (key, visit, characteristic, body, at, fetched) values (?, ?, ?, ?, ?, ?)
on conflict (key) do nothing

-- name: frames_ready
-- Frames whose clock facts are settled, in the order in which they came.
select
    frame.id, frame.visit, visit.device, visit.model, visit.quirk, visit.synced, visit.offset_s,
    visit.set_offset_s, visit.ended, count(*) over (partition by frame.visit),
    frame.characteristic, frame.body, frame.at, frame.fetched
from frame join visit on visit.id = frame.visit
where visit.clock_known = 1
order by frame.id limit ?

-- name: frame_drop
delete from frame where id = ?

-- name: outgoing_put
insert into outgoing (id, position, kind, device, model, body, at, live)
select ?1, (select coalesce(max(position), 0) + 1 from outgoing), ?2, ?3, ?4, ?5, ?6, ?7
where not exists (select 1 from seen where id = ?1)
on conflict (id) do nothing

-- name: outgoing_fresh
-- The newest live reading that was never sent: it jumps the queue.
select id, kind, device, model, body from outgoing
where live = 1 and attempts = 0 and due_at <= ? and at >= ? order by at desc limit 1

-- name: outgoing_first
select kind, device, model from outgoing where due_at <= ? order by position limit 1

-- name: outgoing_batch
select id, body from outgoing
where kind = ? and device = ? and model = ? and due_at <= ? order by position limit ?

-- name: outgoing_attempts
select attempts from outgoing where id = ?

-- name: outgoing_sent
update outgoing set attempts = attempts + 1, due_at = ? where id = ?

-- name: outgoing_hurry
update outgoing set due_at = ? where attempts > 0 and due_at > ?

-- name: outgoing_due
update outgoing set due_at = ? where id = ?

-- name: outgoing_next_due
select min(due_at) from outgoing

-- name: outgoing_waiting
-- Sent and not yet acknowledged nor due again.
select count(*) from outgoing where attempts > 0 and due_at > ?

-- name: outgoing_depth
select
    (select count(*) from outgoing) + (select count(*) from frame),
    (select min(at) from (
        select min(at) as at from outgoing union all select min(at) as at from frame
    ))

-- name: outgoing_drop
delete from outgoing where id = ? returning kind

-- name: seen_put
insert into seen (id, position)
select ?, (select coalesce(max(position), 0) + 1 from seen) where true on conflict (id) do nothing

-- name: seen_trim
delete from seen where position <= (select coalesce(max(position), 0) from seen) - ?

-- name: seen_forget
delete from seen

-- name: device_put
insert into device (identity, address, model, name, enrolled) values (?, ?, ?, ?, ?)
on conflict (identity) do update set
    address = coalesce(excluded.address, address),
    model = case when excluded.model = '' then model else excluded.model end,
    name = case when excluded.name = '' then name else excluded.name end,
    enrolled = max(enrolled, excluded.enrolled)

-- name: device_free_address
-- An address belongs to one device at a time.
update device set address = null where address = ? and identity <> ?

-- name: devices
select
    identity, address, model, name, enrolled, last_sequence, fetched_all_at, last_seen, last_read,
    rssi, battery, firmware, bonded, offset_s, clock_wanted
from device order by identity

-- name: device_sequence
update device set last_sequence = ? where identity = ?

-- name: device_last_sequence
select last_sequence from device where identity = ?

-- name: device_fetched_all
update device set fetched_all_at = ? where identity = ?

-- name: device_seen
update device set last_seen = ?, rssi = ? where identity = ?

-- name: device_read
update device set last_read = ? where identity = ?

-- name: device_facts
update device set
    battery = coalesce(?, battery), firmware = coalesce(?, firmware),
    bonded = coalesce(?, bonded), offset_s = coalesce(?, offset_s)
where identity = ?

-- name: device_clock_wanted
update device set clock_wanted = ? where identity = ?

-- name: device_passkey
update device set passkey = ? where identity = ?

-- name: device_passkeys
select address, passkey from device where address is not null and passkey is not null

-- name: device_forget
delete from device where identity = ?

-- name: forgotten_put
-- On order: it is not visited any more even if the configuration lists it.
insert into forgotten (identity, address) values (?, ?)
on conflict (identity) do update set address = excluded.address

-- name: forgotten_drop
delete from forgotten where identity = ?

-- name: forgotten_clear
delete from forgotten

-- name: forgotten
select identity, address from forgotten

-- name: command_put
insert into command (id, body, expires_at) values (?, ?, ?) on conflict (id) do nothing

-- name: command_result
select result from command where id = ?

-- name: command_finish
update command set result = ? where id = ?

-- name: commands_open
select body from command where result is null order by expires_at

-- name: command_told
update command set told = 1 where id = ?

-- name: commands_untold
select id, result from command where result is not null and told = 0

-- name: commands_forget
delete from command where told = 1 and expires_at < ?
