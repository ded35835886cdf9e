//! The caller registry: numbers normalised and hashed, ages kept as the months in which they are reached (DESIGN §9).
