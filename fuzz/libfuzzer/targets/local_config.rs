#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| rdsign_fuzz::check("local_config", data));
