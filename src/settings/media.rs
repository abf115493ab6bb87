//! The settings of files that people send, and their limits.

use serde::Deserialize;

use super::{SettingsError, wrong};

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Media {
    pub image_bytes: usize,
    pub audio_bytes: usize,
    pub video_bytes: usize,
    pub document_bytes: usize,
    pub sticker_bytes: usize,
    /// One answer, from the look-up to the last byte.
    pub seconds: u64,
    /// This machine counts as a provider too.
    pub loopback: bool,
}

/// A file is sealed, kept and opened as one piece.
const MOST_BYTES: usize = 16 * 1024 * 1024;

impl Media {
    pub(super) fn within_limits(&self) -> Result<(), SettingsError> {
        for (setting, bytes) in [
            ("media.image_bytes", self.image_bytes),
            ("media.audio_bytes", self.audio_bytes),
            ("media.video_bytes", self.video_bytes),
            ("media.document_bytes", self.document_bytes),
            ("media.sticker_bytes", self.sticker_bytes),
        ] {
            if !(1..=MOST_BYTES).contains(&bytes) {
                return Err(wrong(setting, format!("a number from 1 to {MOST_BYTES}")));
            }
        }
        if !(1..=300).contains(&self.seconds) {
            return Err(wrong("media.seconds", "a number from 1 to 300"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_may_have_at_most_what_is_kept_as_one_piece() {
        let usual = Media {
            image_bytes: 1,
            audio_bytes: MOST_BYTES,
            video_bytes: 1,
            document_bytes: 1,
            sticker_bytes: 1,
            seconds: 60,
            loopback: false,
        };
        assert_eq!(usual.within_limits(), Ok(()));
        for (named, wrong) in [
            (
                "media.image_bytes",
                Media {
                    image_bytes: 0,
                    ..usual
                },
            ),
            (
                "media.audio_bytes",
                Media {
                    audio_bytes: MOST_BYTES + 1,
                    ..usual
                },
            ),
            (
                "media.video_bytes",
                Media {
                    video_bytes: MOST_BYTES + 1,
                    ..usual
                },
            ),
            (
                "media.document_bytes",
                Media {
                    document_bytes: MOST_BYTES + 1,
                    ..usual
                },
            ),
            (
                "media.sticker_bytes",
                Media {
                    sticker_bytes: 0,
                    ..usual
                },
            ),
            (
                "media.seconds",
                Media {
                    seconds: 0,
                    ..usual
                },
            ),
            (
                "media.seconds",
                Media {
                    seconds: 301,
                    ..usual
                },
            ),
        ] {
            let said = wrong.within_limits().unwrap_err().to_string();
            assert!(said.contains(named), "{said}");
        }
    }
}
