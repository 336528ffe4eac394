/** Embeddings on the wire are arrays of numbers, or base64 of 32-bit floats, the lowest byte first. */
export function vectorOfBase64(text: string): number[] | undefined {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length === 0 || bytes.length % 4 !== 0) return undefined;
  return Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readFloatLE(index * 4));
}

export function base64OfVector(vector: readonly number[]): string {
  const bytes = Buffer.allocUnsafe(vector.length * 4);
  for (let index = 0; index < vector.length; index++) bytes.writeFloatLE(vector[index] ?? 0, index * 4);
  return bytes.toString('base64');
}

/** The answer to a caller, in the encoding that was asked for. */
export function embeddingsAnswer(
  { vectors, model }: { vectors: readonly number[][]; model: string },
  encoding: string | null | undefined,
  usage: { prompt_tokens: number; total_tokens: number },
): Record<string, unknown> {
  const data = vectors.map((vector, index) => ({
    object: 'embedding',
    index,
    embedding: encoding === 'base64' ? base64OfVector(vector) : vector,
  }));
  return { object: 'list', data, model, usage };
}
