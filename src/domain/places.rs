//! Where a four-digit postcode lies, and how far two of them are apart in a straight line. Roads and water
//! are not known here: whoever tells a distance says that it is one as the crow flies.

use std::collections::BTreeMap;

use super::command::fold;

/// The postcodes of the Netherlands; where the table comes from stands in places/README.md.
const TABLE: &str = include_str!("places/pc4.csv");
/// The mean radius of the earth.
const EARTH_KM: f64 = 6371.0;
/// The first postcode there is.
const FIRST: usize = 1000;
/// And how many there can be.
const CODES: usize = 9000;

#[derive(Debug, Clone)]
struct Place {
    name: &'static str,
    latitude: f64,
    longitude: f64,
}

/// Every postcode with its place.
#[derive(Debug)]
pub struct Places {
    /// By the postcode's number, from `FIRST` on.
    by_code: Vec<Option<Place>>,
    by_name: BTreeMap<String, String>,
}

/// The table cannot be read: its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {0} of the table of postcodes: expected postcode,place,latitude,longitude")]
pub struct BrokenTable(usize);

impl Places {
    /// The table inside the program.
    pub fn builtin() -> Result<Self, BrokenTable> {
        Self::parse(TABLE)
    }

    fn parse(table: &'static str) -> Result<Self, BrokenTable> {
        let mut places = Self {
            by_code: Vec::with_capacity(CODES),
            by_name: BTreeMap::new(),
        };
        let mut of_name: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, line) in table.lines().enumerate().skip(1) {
            let fields: Vec<&str> = line.split(',').collect();
            let [code, name, latitude, longitude] = fields[..] else {
                return Err(BrokenTable(at + 1));
            };
            let read = || -> Option<(usize, f64, f64)> {
                let number: usize = code.parse().ok()?;
                let number = number.checked_sub(FIRST)?;
                Some((number, latitude.parse().ok()?, longitude.parse().ok()?))
            };
            let (number, latitude, longitude) = read().ok_or(BrokenTable(at + 1))?;
            if places.by_code.len() <= number {
                places.by_code.resize(number + 1, None);
            }
            places.by_code[number] = Some(Place {
                name,
                latitude,
                longitude,
            });
            of_name.entry(name).or_default().push(number);
        }
        for (name, numbers) in of_name {
            if let Some(middle) = places.middle(&numbers) {
                places
                    .by_name
                    .insert(fold(name), format!("{}", FIRST + middle));
            }
        }
        Ok(places)
    }

    /// The postcode that is nearest to the middle of all postcodes of one place.
    fn middle(&self, numbers: &[usize]) -> Option<usize> {
        let all: Vec<(usize, &Place)> = numbers
            .iter()
            .filter_map(|number| Some((*number, self.by_code.get(*number)?.as_ref()?)))
            .collect();
        let count = all.len() as f64;
        let middle = Place {
            name: "",
            latitude: all.iter().map(|(_, place)| place.latitude).sum::<f64>() / count,
            longitude: all.iter().map(|(_, place)| place.longitude).sum::<f64>() / count,
        };
        let far = |place: &Place| apart(place, &middle);
        all.iter()
            .min_by(|(_, one), (_, other)| far(one).total_cmp(&far(other)))
            .map(|(number, _)| *number)
    }

    fn at(&self, pc4: &str) -> Option<&Place> {
        if pc4.len() != 4 {
            return None;
        }
        let number = pc4.parse::<usize>().ok()?.checked_sub(FIRST)?;
        self.by_code.get(number)?.as_ref()
    }

    /// The village or town of a postcode.
    pub fn town(&self, pc4: &str) -> Option<&str> {
        self.at(pc4).map(|place| place.name)
    }

    /// The postcode in the middle of a place, by its name in whatever capitals.
    pub fn of_town(&self, name: &str) -> Option<&str> {
        self.by_name.get(&fold(name)).map(String::as_str)
    }

    /// Kilometres in a straight line, rounded; `None` if one of the two is no postcode.
    pub fn km(&self, one: &str, other: &str) -> Option<u32> {
        let km = apart(self.at(one)?, self.at(other)?).round();
        // Within the Netherlands nothing is further than a few hundred.
        Some(km as u32)
    }
}

fn apart(one: &Place, other: &Place) -> f64 {
    let (from, to) = (one.latitude.to_radians(), other.latitude.to_radians());
    let north = (to - from) / 2.0;
    let east = (other.longitude - one.longitude).to_radians() / 2.0;
    let chord = north.sin().powi(2) + from.cos() * to.cos() * east.sin().powi(2);
    2.0 * EARTH_KM * chord.sqrt().min(1.0).asin()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_a_map() {
        let places = Places::builtin().unwrap();
        // Amsterdam to Utrecht, Groningen to Maastricht, as a map has them.
        assert!((30..=40).contains(&places.km("1012", "3511").unwrap()));
        assert!((255..=275).contains(&places.km("9711", "6211").unwrap()));
        assert_eq!(places.km("1012", "1012"), Some(0));
        assert_eq!(places.km("1012", "3511"), places.km("3511", "1012"));
    }

    #[test]
    fn what_is_no_postcode_has_no_distance() {
        let places = Places::builtin().unwrap();
        for nothing in ["", "0999", "999", "10123", "abcd", "9999999", "1012AB"] {
            assert_eq!(places.km("1012", nothing), None, "{nothing}");
        }
    }

    #[test]
    fn a_town_is_found_by_its_name() {
        let places = Places::builtin().unwrap();
        let utrecht = places.of_town("UTRECHT").unwrap();
        assert!(places.km(utrecht, "3511").unwrap() < 6, "{utrecht}");
        assert_eq!(places.town(utrecht), Some("Utrecht"));
        assert_eq!(places.of_town("Nergenshuizen"), None);
    }

    #[test]
    fn a_broken_line_is_named() {
        assert_eq!(
            Places::parse("pc4,place,latitude,longitude\n1011,Amsterdam,52.3\n").unwrap_err(),
            BrokenTable(2)
        );
    }
}
