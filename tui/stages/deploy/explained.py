"""What `K` explains in Deploy: definitions and rules, in sentences."""

DEPLOYMENT_TEXT = (
    "A version is a model file that never changes: it is stored under its SHA-256, with its signature and with golden "
    "rows, real rows whose answers were recorded when it was registered. Every server first lets a child process with "
    "bounded time and memory load the file and answer the golden rows, then answers them itself; only then it is "
    "ready. An alias such as champion names a version; each move is an event with who, when, why, and what the gates "
    "said at that moment. Endpoints follow their alias: the new version is loaded beside the old one and takes over "
    "between two requests, in one worker after the other; if it is not fit, the old one goes on and the state says "
    "degraded, and why. The version before stays loaded and is asked its golden rows again at each change: that is the "
    "drill, and a rollback then loads nothing.\n\n"
    "A split gives a second version a share of the requests. A request's key (header X-Lemnis-Key, parameters.key, the "
    "first of parameters.keys, its id, or what --key names) falls on a point between 0 and 100 by its hash, and the "
    "challenger answers what lies below the share: a key keeps its version, and a larger share only adds keys. In a "
    "shadow the champion answers everything and the challenger scores the same rows afterwards, from the log.\n\n"
    "Three measures are tested after every answer: errors (requests that failed or were refused; 1 point more than the "
    "champion is allowed), latency (requests slower than the champion's p95; 5 points more) and drift (the mean rank "
    "of the scores among the champion's; 0.1 either way). The bar is the logarithm of the e-value against 'no worse "
    "than allowed', as a share of what aborts: a mixture sequential probability ratio test, so that all three together "
    "abort a good challenger with a chance of at most 5 %, however long the split runs and however often one looks. At "
    "the end of the bar the share is 0 at once, and the figures stay with the event.\n\n"
    "p50 and p99 are of the requests of the last five minutes, from headers to answer. All figures of traffic are of "
    "the log of predictions. A server answers first and hands each request to a file of its own; the recorder, one "
    "process for all servers, brings those files into predictions.db ten times a second, what a rush leaves within "
    "five seconds. 'log 3.2 s behind' is the wait of the oldest answered request that is not in the log yet, told from "
    "one second on: nothing is lost with it, the figures are only older. Not logged are requests that were answered "
    "while 64 MiB waited for the disk, the file had reached 1 GiB or the disk was full: no later count has their rows. "
    "/metrics says the same as lemnis_log_lag_seconds and lemnis_unlogged_requests. Commands: lemnis models, "
    "lemnis deploy, lemnis endpoints (list, show, split, rollback, events, stop, logs), lemnis predict."
)
CELLS = {
    "endpoints.state": (
        "ready: it answered its golden rows. degraded: it answers, but not with the version its alias names. "
        "starting, backing off (it is started again after a failure), failed, down. The detail says why."
    ),
    "endpoints.name": "The endpoint's name, the last part of its address.",
    "endpoints.serves": "The alias or version it follows, and the version that answers now.",
    "endpoints.requests": (
        "Requests since the endpoint was made, refused ones among them, as the log of predictions has them: the line "
        "below says how far it is behind, and how many were answered but not logged."
    ),
    "endpoints.errors": "Requests that were not answered with success, refused ones among them.",
    "endpoints.p50": (
        "Half of the requests of the last five minutes were answered within this time, from headers to answer."
    ),
    "endpoints.p99": (
        "Of 100 requests of the last five minutes, 99 were answered within this time. A criterion such as "
        "latency_p99_ms in lemnis.toml bounds it; load tests (Evaluate, T) measure it apart from other traffic."
    ),
    "endpoints.rate": "Requests a second over the last five minutes; the bars are 30 equal parts of them.",
    "endpoints.at": "Where it listens. Any address but this machine's own needs a token.",
    "versions.version": "The model's name and the version's number: a file that never changes.",
    "versions.aliases": "The names that point at it now; each move is an event.",
    "versions.run": "The run that trained it.",
    "versions.gates": (
        "What the problem's criteria said of its run: all must pass before a promotion that is not forced."
    ),
    "versions.age": "Time since it was registered.",
    "versions.who": "Who registered it.",
    "versions.why": "The reason that was given.",
    "events.when": "When the alias was moved, in your zone.",
    "events.alias": "Which name of which model.",
    "events.moved": "From which version to which.",
    "events.how": "promote, rollback or withdraw; forced: although a gate did not pass.",
    "events.gates": "What the gates said at that moment; it is kept with the event.",
    "events.who": "Who moved it.",
    "events.why": "The reason that was given.",
}
