//! Every kind of listener, rule, target and health.
