//! The text of a ticket's QR code: base 45, whose characters a code packs as densely as bytes and every scanner
//! reads as text. Shown as blocks in a terminal, or written as a PNG.

use crate::failure::{Failure, Kind};
use bytes::Bytes;
use qrcode::render::unicode::Dense1x2;
use qrcode::{Color, EcLevel, QrCode};
use std::io::Read as _;
use std::path::Path;
use weft_types::{TICKET_CODE_BYTES_MAX, TicketCode};

/// In front, so that nobody takes it for anything else.
const PREFIX: &str = "WEFT1:";
/// Pixels of a PNG for each module of the code, and modules of margin.
const SCALE: usize = 8;
const MARGIN: usize = 4;

/// What a scanner has read, as an argument.
#[derive(Debug, Clone)]
pub enum Shown {
    Stdin,
    Text(String),
}

impl std::str::FromStr for Shown {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "-" => Self::Stdin,
            text => Self::Text(text.to_owned()),
        })
    }
}

impl Shown {
    /// The code in it, or in the first line of stdin.
    pub fn code(&self) -> Result<TicketCode, Failure> {
        if let Self::Text(text) = self {
            return read(text);
        }
        let mut text = String::new();
        let longest = 2 * TICKET_CODE_BYTES_MAX as u64;
        std::io::stdin().take(longest).read_to_string(&mut text)?;
        read(text.lines().next().unwrap_or_default())
    }
}

/// The code that a text is.
pub fn read(text: &str) -> Result<TicketCode, Failure> {
    let invalid = |why: String| {
        Failure::new(Kind::Invalid, format_args!("this is no ticket: {why}"))
            .hint("let it be shown again; `weft ticket pass` makes them")
    };
    let text = text.trim();
    let digits = text.strip_prefix(PREFIX);
    let digits = digits.ok_or_else(|| invalid(format!("it does not begin with {PREFIX}")))?;
    if digits.len() > 2 * TICKET_CODE_BYTES_MAX {
        return Err(invalid("it is too long".to_owned()));
    }
    let bytes = base45::decode(digits).map_err(|e| invalid(e.to_string()))?;
    TicketCode::decode(Bytes::from(bytes)).map_err(|e| invalid(e.to_string()))
}

/// A ticket as the text of a QR code.
pub struct Written {
    pub text: String,
    /// Without the text's own waste.
    pub bytes: usize,
    qr: QrCode,
}

impl Written {
    pub fn new(code: &TicketCode) -> Result<Self, Failure> {
        let wrong = |e: &dyn std::fmt::Display| Failure::new(Kind::Failed, e);
        let bytes = code.encode().map_err(|e| wrong(&e))?;
        let text = format!("{PREFIX}{}", base45::encode(&bytes));
        // The lowest level of correction makes the coarsest code, and screens have no scratches.
        let qr = QrCode::with_error_correction_level(&text, EcLevel::L);
        Ok(Self {
            bytes: bytes.len(),
            qr: qr.map_err(|e| wrong(&e))?,
            text,
        })
    }

    /// Modules of a side.
    pub fn side(&self) -> usize {
        self.qr.width()
    }

    /// For a terminal, dark on light whatever its colours.
    pub fn blocks(&self) -> String {
        let mut blocks = self.qr.render::<Dense1x2>();
        let blocks = blocks.dark_color(Dense1x2::Light);
        blocks.light_color(Dense1x2::Dark).build()
    }

    /// Writes a PNG of one bit a pixel.
    pub fn write_png(&self, path: &Path) -> Result<(), Failure> {
        let named =
            |e: &dyn std::fmt::Display| Failure::usage(format_args!("{}: {e}", path.display()));
        let file = std::fs::File::create(path).map_err(|e| named(&e))?;
        let side = (self.side() + 2 * MARGIN) * SCALE;
        let mut encoder =
            png::Encoder::new(std::io::BufWriter::new(file), side as u32, side as u32);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::One);
        let mut writer = encoder.write_header().map_err(|e| named(&e))?;
        let written = writer.write_image_data(&self.pixels(side));
        written.map_err(|e| named(&e))?;
        writer.finish().map_err(|e| named(&e))
    }

    /// Rows of bits, the first pixel in the highest one; a row ends with its byte.
    fn pixels(&self, side: usize) -> Vec<u8> {
        let modules = self.side();
        let colors = self.qr.to_colors();
        let dark = |x: usize, y: usize| {
            let (x, y) = (x / SCALE, y / SCALE);
            let inside = |n: usize| (MARGIN..MARGIN + modules).contains(&n);
            inside(x) && inside(y) && colors[(y - MARGIN) * modules + (x - MARGIN)] == Color::Dark
        };
        let row = side.div_ceil(8);
        let mut pixels = vec![0; row * side];
        for y in 0..side {
            for x in 0..side {
                if !dark(x, y) {
                    pixels[y * row + x / 8] |= 0x80 >> (x % 8);
                }
            }
        }
        pixels
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weft_types::testing::{pass, user};

    fn code() -> TicketCode {
        let item = weft_types::ItemId([7; 32]);
        TicketCode {
            item,
            pass: pass(2, item, 120_000_000, Some(user(3))),
            proof: None,
        }
    }

    #[test]
    fn a_code_is_read_from_its_text_and_from_nothing_else() {
        let written = Written::new(&code()).unwrap();
        assert_eq!(read(&format!(" {}\n", written.text)).unwrap(), code());
        let cut = &written.text[..written.text.len() - 3];
        for text in ["", "WEFT1:", "HTTPS://EXAMPLE.ORG", &written.text[1..], cut] {
            assert_eq!(read(text).unwrap_err().kind, Kind::Invalid, "{text}");
        }
    }

    #[test]
    fn a_pass_alone_is_a_small_code_and_its_png_has_its_modules() {
        let written = Written::new(&code()).unwrap();
        assert!(written.side() <= 57, "{}", written.side());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ticket.png");
        written.write_png(&path).unwrap();
        let file = std::io::BufReader::new(std::fs::File::open(&path).unwrap());
        let mut reader = png::Decoder::new(file).read_info().unwrap();
        let side = (written.side() + 2 * MARGIN) * SCALE;
        let info = reader.info();
        assert_eq!((info.width, info.height), (side as u32, side as u32));
        let mut pixels = vec![0; side.div_ceil(8) * side];
        reader.next_frame(&mut pixels).unwrap();
        assert_eq!(pixels, written.pixels(side));
        // The corner of the first finder pattern is dark, the margin light.
        let row = side.div_ceil(8);
        let first = MARGIN * SCALE;
        assert_eq!(pixels[first * row + first / 8], 0);
        assert_eq!(pixels[0], 0xff);
        assert!(written.blocks().lines().count() > 20);
    }
}
