import { checkTexts } from './prompt-texts.ts';
import { requestError } from './request-error.ts';
import { absent, checkCommon, objectBody } from './wire-values.ts';

export interface EmbeddingsRequest extends Record<string, unknown> {
  model: string;
  input: string | string[] | number[] | number[][];
  encoding_format?: 'float' | 'base64' | null;
}

const MOST_INPUTS = 2_048;

export function checkEmbeddingsRequest(parsed: unknown): EmbeddingsRequest {
  const body = objectBody(parsed);
  checkCommon(body);
  checkTexts(body.input, 'input', MOST_INPUTS);
  const empty = Array.isArray(body.input) ? body.input.indexOf('') : -1;
  if (body.input === '' || empty >= 0) {
    const at = empty < 0 ? 'input' : `input.[${empty}]`;
    throw requestError(at, `Invalid '${at}': the text is empty.`);
  }
  const { encoding_format: format } = body;
  if (!absent(format) && format !== 'float' && format !== 'base64') {
    throw requestError('encoding_format', "Invalid value for 'encoding_format': expected 'float' or 'base64'.");
  }
  return body as EmbeddingsRequest;
}
