-- What a probe writes over and over, to see that a thing as large as a ticket still fits on the disk.
ALTER TABLE instance ADD COLUMN ballast BYTES;
