import * as z from 'zod';

/** A name that people choose: 1 to 255 characters, not blank, without control characters. */
export const Name = z
  .string()
  .max(255, 'must have at most 255 characters')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it refuses
  .regex(/^[^\u0000-\u001f\u007f]*$/, 'must have no control characters')
  .refine((name) => name.trim() !== '', 'must not be blank');

/**
 * A name as the OpenAPI document describes it, for requests whose verb applies `Name` itself, because the contract fixes an error code of
 * its own for it. A test compares the two.
 */
export const DescribedName = z.string().meta({
  minLength: 1,
  maxLength: 255,
  pattern: '^[^\\u0000-\\u001f\\u007f]*[^\\s\\u0000-\\u001f\\u007f][^\\u0000-\\u001f\\u007f]*$',
});

/** Free text beside a name. */
export const Description = z.string().max(4096, 'must have at most 4096 characters');
/** The same for the document: see DescribedName. */
export const DescribedText = z.string().meta({ maxLength: 4096 });
