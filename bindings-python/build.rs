//! Sets the `cfg` flags for the kind of Python that the library is built for.

fn main() {
    pyo3_build_config::use_pyo3_cfgs();
}
