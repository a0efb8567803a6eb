#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gladhand_probes::fuzzing::inventory(data));
