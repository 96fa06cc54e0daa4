//! From an uploaded file to the two pictures that are kept. Slow: call it in `web::block`.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::imageops::FilterType;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, ImageResult, Limits};

use super::domain::{self, FULL, THUMB};

/// A 12-megapixel phone picture is far below both; what a small file may unpack to must be bounded.
const MAX_PIXELS: u64 = 40_000_000;
const MAX_SIDE: u32 = 20_000;
const MAX_BYTES: u64 = MAX_PIXELS * 4;
const QUALITY: u8 = 85;

/// What is kept of an upload.
pub(super) struct Picture {
    pub content_type: &'static str,
    pub width: u32,
    pub height: u32,
    pub full: Vec<u8>,
    pub thumb: Vec<u8>,
}

/// Why an upload is not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum PictureError {
    #[error("not a JPEG, PNG or WebP picture")]
    Type,
    #[error("declared as another type than it is")]
    Lie,
    #[error("too many pixels")]
    TooLarge,
    #[error("the picture is damaged")]
    Damaged(#[source] image::ImageError),
}

/// Decodes within limits, turns upright, scales, and writes anew: PNG where it was PNG or is transparent, else JPEG.
pub(super) fn prepare(bytes: &[u8], declared: Option<&str>) -> Result<Picture, PictureError> {
    let format = image::guess_format(bytes).map_err(|_unknown| PictureError::Type)?;
    if !matches!(format, ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::WebP) {
        return Err(PictureError::Type);
    }
    if !domain::is_honest(declared, format.to_mime_type()) {
        return Err(PictureError::Lie);
    }
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::no_limits();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_BYTES);
    reader.limits(limits);
    // Reads the header only.
    let mut decoder = reader.into_decoder().map_err(of_image)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MAX_PIXELS || decoder.total_bytes() > MAX_BYTES {
        return Err(PictureError::TooLarge);
    }
    let orientation = decoder.orientation().map_err(of_image)?;
    let image = DynamicImage::from_decoder(decoder).map_err(of_image)?;
    // The small picture is the one that is turned.
    let mut full = scaled(&image, FULL, FilterType::Triangle);
    drop(image);
    full.apply_orientation(orientation);
    let thumb = scaled(&full, THUMB, FilterType::Triangle);
    let png = format == ImageFormat::Png || full.color().has_alpha();
    let content_type = if png { "image/png" } else { "image/jpeg" };
    let write = |image: &DynamicImage| write(image, png).map_err(of_image);
    Ok(Picture { content_type, width: full.width(), height: full.height(), full: write(&full)?, thumb: write(&thumb)? })
}

fn of_image(error: image::ImageError) -> PictureError {
    match error {
        image::ImageError::Limits(_) => PictureError::TooLarge,
        error => PictureError::Damaged(error),
    }
}

/// A copy of 8 bits a channel.
fn scaled(image: &DynamicImage, longest: u32, filter: FilterType) -> DynamicImage {
    let (width, height) = domain::fit(image.width(), image.height(), longest);
    let resized;
    let image = if (width, height) == (image.width(), image.height()) {
        image
    } else {
        resized = image.resize_exact(width, height, filter);
        &resized
    };
    if image.color().has_alpha() { image.to_rgba8().into() } else { image.to_rgb8().into() }
}

fn write(image: &DynamicImage, png: bool) -> ImageResult<Vec<u8>> {
    let mut out = Vec::new();
    if png {
        image.write_with_encoder(PngEncoder::new(&mut out))?;
    } else {
        image.write_with_encoder(JpegEncoder::new_with_quality(&mut out, QUALITY))?;
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(format: ImageFormat, width: u32, height: u32) -> Vec<u8> {
        let mut out = Cursor::new(Vec::new());
        DynamicImage::new_rgb8(width, height).write_to(&mut out, format).unwrap();
        out.into_inner()
    }

    #[test]
    fn each_type_is_taken_scaled_and_thumbnailed() {
        for (format, kept) in
            [(ImageFormat::Jpeg, "image/jpeg"), (ImageFormat::Png, "image/png"), (ImageFormat::WebP, "image/jpeg")]
        {
            let picture = prepare(&encoded(format, 4096, 1024), None).unwrap();
            assert_eq!((picture.content_type, picture.width, picture.height), (kept, 2048, 512));
            let thumb = image::load_from_memory(&picture.thumb).unwrap();
            assert_eq!((thumb.width(), thumb.height()), (320, 80));
        }
        let small = prepare(&encoded(ImageFormat::Png, 1, 1), None).unwrap();
        assert_eq!((small.width, small.height), (1, 1));
    }

    #[test]
    fn transparency_is_kept() {
        let mut webp = Cursor::new(Vec::new());
        DynamicImage::new_rgba8(4, 4).write_to(&mut webp, ImageFormat::WebP).unwrap();
        assert_eq!(prepare(webp.get_ref(), None).unwrap().content_type, "image/png");
    }

    #[test]
    fn what_is_no_picture_lies_or_is_cut_off_is_refused() {
        let png = encoded(ImageFormat::Png, 64, 64);
        assert!(matches!(prepare(b"<svg/>", None), Err(PictureError::Type)));
        assert!(matches!(prepare(b"GIF89a\x01\x00\x01\x00", None), Err(PictureError::Type)));
        assert!(matches!(prepare(b"", None), Err(PictureError::Type)));
        assert!(matches!(prepare(&png, Some("image/jpeg")), Err(PictureError::Lie)));
        assert!(matches!(prepare(&png[..png.len() / 2], None), Err(PictureError::Damaged(_))));
        assert!(matches!(prepare(&png[..12], None), Err(PictureError::Damaged(_))));
    }

    /// A few bytes that claim 30,000 × 30,000 pixels, or 8 bytes for each of many: refused by the header.
    #[test]
    fn a_bomb_is_refused_before_it_is_unpacked() {
        let mut png = encoded(ImageFormat::Png, 64, 64);
        let claim = |png: &mut Vec<u8>, width: u32, height: u32, depth: u8| {
            png[16..20].copy_from_slice(&width.to_be_bytes());
            png[20..24].copy_from_slice(&height.to_be_bytes());
            png[24] = depth;
            let crc = crc(&png[12..29]);
            png[29..33].copy_from_slice(&crc.to_be_bytes());
        };
        for (width, height, depth) in [(30_000, 30_000, 8), (19_999, 10_000, 8), (6_000, 6_000, 16)] {
            claim(&mut png, width, height, depth);
            assert!(matches!(prepare(&png, None), Err(PictureError::TooLarge)), "{width}×{height}");
        }
    }

    fn crc(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 })
        })
    }
}
