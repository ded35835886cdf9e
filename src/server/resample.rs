//! Brings a prompt's sound to the telephone's 8000 samples a second, once, when it is loaded (DESIGN §11).

use crate::codec::SAMPLE_RATE_HZ;
use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Resampler};

/// Samples between -1 and 1, at 8 kHz. The error is the resampler's own.
pub fn to_telephone_rate(samples: Vec<f32>, rate_hz: u32) -> Result<Vec<f32>, String> {
    if rate_hz == SAMPLE_RATE_HZ || samples.is_empty() {
        return Ok(samples);
    }
    let mut resampler = Fft::<f32>::new(rate_hz as usize, SAMPLE_RATE_HZ as usize, 1024, 1, FixedSync::Both)
        .map_err(|error| error.to_string())?;
    let input = InterleavedSlice::new(&samples, 1, samples.len()).map_err(|error| error.to_string())?;
    let output = resampler.process_all(&input, samples.len(), None).map_err(|error| error.to_string())?;
    let wanted = (samples.len() as u64 * u64::from(SAMPLE_RATE_HZ)).div_ceil(u64::from(rate_hz)) as usize;
    let mut output = output.take_data();
    output.truncate(wanted);
    Ok(output)
}
