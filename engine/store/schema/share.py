"""Tables of sharing: who this workspace is among others, and where what came from another one was made."""

from lemnis.engine.store.revisions import triggers

TABLES: tuple[str, ...] = ()

LATER = {
    "m020_share": (
        "create table identity (id text primary key) strict",  # one row, drawn when the table is made
        "insert into identity values (lower(hex(randomblob(16))))",
        """create table origins (
            kind text not null check (kind in ('dataset', 'run', 'model')),
            id text not null,                        -- what it is in every workspace, of its content
            here text not null,                      -- what it is here: a version's hash, a run's number, model@version
            title text not null,                     -- what it is called where it was made
            workspace text not null,                 -- who made it: the identity, and the name of the folder
            workspace_name text not null,
            who text not null,                       -- who handed it out there
            via text not null,                       -- the remote's address, or the bundle's file
            checks text not null,                    -- how its checks stood there, in words; empty when none ran
            at integer not null,                     -- epoch ms of its coming here
            primary key (kind, id)
        ) strict""",
        "create index origins_here on origins (kind, here)",
        *triggers("data", "origins"),
    ),
}
