// What this package exports.
