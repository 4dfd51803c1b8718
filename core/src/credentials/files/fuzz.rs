//! An entry point of `fuzz/`.

use super::ini::Ini;

/// Names of sections, and the names and values of their settings.
pub type Sections = Vec<(String, Vec<(String, String)>)>;

/// Returns the sections of a configuration file without an invalid line, and their settings.
pub fn sections(text: &str) -> Option<Sections> {
    let ini = Ini::parse(text);
    let sections: Vec<_> = ini.defaults.into_iter().chain(ini.sections).collect();
    let is_valid = ini.stray.is_empty() && sections.iter().all(|s| s.problems.is_empty());
    let sections = sections.into_iter().map(|section| {
        let settings = section.settings.into_iter();
        let settings = settings.map(|s| (s.name, s.value.to_string())).collect();
        (section.name, settings)
    });
    is_valid.then(|| sections.collect())
}
