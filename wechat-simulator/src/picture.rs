//! Draws a code that looks like a mini-program's and holds its scene in clear, so that a test can read it back.
//!
//! WeChat's own encoding is not public. Here 72 rays cross 4 rings: 288 cells, dark for 1. The first byte is the scene's
//! length, its bytes follow, and what is left is filled from the scene's hash to look the part.

use std::f64::consts::TAU;
use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::{ImageFormat, Rgb, RgbImage};
use sha2::{Digest as _, Sha256};

/// Characters a scene may have.
pub(crate) const LONGEST_SCENE: usize = 32;
const RAYS: u32 = 72;
/// Where each ring begins, as a part of the picture's half.
const RINGS: [f64; 4] = [0.42, 0.54, 0.66, 0.78];
const RING_WIDTH: f64 = 0.1;
/// The part of a ray's sector that is drawn.
const RAY_WIDTH: f64 = 0.72;
const EYES: [(f64, f64); 3] = [(-0.82, -0.82), (0.82, -0.82), (-0.82, 0.82)];

const PAPER: Rgb<u8> = Rgb([255, 255, 255]);
const INK: Rgb<u8> = Rgb([24, 32, 38]);
const FAINT: Rgb<u8> = Rgb([226, 232, 230]);
const GREEN: Rgb<u8> = Rgb([7, 193, 96]);

/// Where a pixel lies.
struct Plane {
    half: f64,
    ray_ends: Vec<f64>,
}

impl Plane {
    fn new(width: u32) -> Self {
        Self {
            half: f64::from(width) / 2.0,
            ray_ends: (1..=RAYS).map(|ray| f64::from(ray) / f64::from(RAYS)).collect(),
        }
    }

    /// From -1 to 1, the middle being 0.
    fn place(&self, x: u32, y: u32) -> (f64, f64) {
        let along = |n: u32| (f64::from(n) + 0.5 - self.half) / self.half;
        (along(x), along(y))
    }

    /// The cell at a place, unless it lies between cells.
    fn cell(&self, (x, y): (f64, f64)) -> Option<usize> {
        let distance = x.hypot(y);
        let ring = RINGS.iter().position(|begin| (*begin..begin + RING_WIDTH).contains(&distance))?;
        let turn = (y.atan2(x) / TAU).rem_euclid(1.0);
        if (turn * f64::from(RAYS)).fract() > RAY_WIDTH {
            return None;
        }
        let ray = self.ray_ends.partition_point(|end| *end <= turn);
        Some(ring * self.ray_ends.len() + ray)
    }
}

fn bits(scene: &str) -> Vec<bool> {
    let mut bytes: Vec<u8> = u8::try_from(scene.len()).into_iter().chain(scene.bytes()).collect();
    bytes.extend(Sha256::digest(scene.as_bytes()));
    bytes.extend(Sha256::digest(&bytes));
    bytes.iter().flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1 == 1)).collect()
}

fn bytes(bits: impl Iterator<Item = bool>) -> Vec<u8> {
    let bits: Vec<bool> = bits.collect();
    bits.chunks(8).map(|byte| byte.iter().rev().fold(0, |byte, bit| byte << 1 | u8::from(*bit))).collect()
}

/// A JPEG of `width` by `width`, or nothing when it cannot be written.
pub(crate) fn draw(scene: &str, width: u32) -> Option<Vec<u8>> {
    let plane = Plane::new(width);
    let bits = bits(scene);
    let image = RgbImage::from_fn(width, width, |x, y| {
        let here = plane.place(x, y);
        let from = |(x, y): (f64, f64)| (here.0 - x).hypot(here.1 - y);
        let eye = EYES.iter().map(|eye| from(*eye)).fold(f64::MAX, f64::min);
        match plane.cell(here).map(|cell| bits.get(cell) == Some(&true)) {
            Some(true) => INK,
            Some(false) => FAINT,
            None if from((0.0, 0.0)) < 0.32 => GREEN,
            None if eye < 0.06 || (0.09..0.13).contains(&eye) => INK,
            None => PAPER,
        }
    });
    let mut out = Vec::new();
    image.write_with_encoder(JpegEncoder::new_with_quality(&mut out, 90)).ok()?;
    Some(out)
}

/// Reads the scene from a code this simulator drew, at whatever size it is now.
#[must_use]
pub fn read_code(image: &[u8]) -> Option<String> {
    let reader = image::ImageReader::new(Cursor::new(image)).with_guessed_format().ok()?;
    if !matches!(reader.format(), Some(ImageFormat::Jpeg | ImageFormat::Png)) {
        return None;
    }
    let image = reader.decode().ok()?.to_luma8();
    let plane = Plane::new(image.width());
    // Each pixel has a vote on its cell: how far it is from the middle grey.
    let mut votes = vec![0_i64; RINGS.len() * plane.ray_ends.len()];
    for (x, y, pixel) in image.enumerate_pixels() {
        if let Some(vote) = plane.cell(plane.place(x, y)).and_then(|cell| votes.get_mut(cell)) {
            *vote += 128 - i64::from(pixel.0[0]);
        }
    }
    let bytes = bytes(votes.iter().map(|vote| *vote > 0));
    let (length, rest) = bytes.split_first()?;
    let scene = rest.get(..usize::from(*length))?;
    String::from_utf8(scene.to_vec()).ok().filter(|scene| (1..=LONGEST_SCENE).contains(&scene.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_can_be_read_back_at_every_size() {
        for scene in ["a", "b=3&u=12-1-302", "0123456789abcdefghijklmnopqrstuv"] {
            for width in [280, 430, 1280] {
                assert_eq!(read_code(&draw(scene, width).unwrap()).as_deref(), Some(scene), "{width}");
            }
        }
    }

    #[test]
    fn the_same_scene_is_the_same_picture_and_rubbish_is_none() {
        assert_eq!(draw("x=1", 280), draw("x=1", 280));
        assert_eq!(read_code(b"not a picture"), None);
    }
}
