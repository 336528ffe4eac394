import type { Scalar } from 'yaml';
import type { NodeContext } from './yaml-rules.ts';

const COLON_WITHOUT_BLANK = / *:[,[\]{}]/y;
const ESCAPED_BREAK_BEFORE_BLANK_LINE = /\\\n[ \t]*\n/;

/** Refuses text that kubectl's parser would cut into lines or words elsewhere. `checkBreaks` comes after all scalars of the document. */
export function createTextChecks({ text, refuse }: Pick<NodeContext, 'text' | 'refuse'>) {
  let lineSeparators = 0;

  return { checkScalar, checkBreaks };

  function checkScalar(node: Scalar.Parsed, { inFlow }: { inFlow: boolean }): void {
    const [start, end] = node.range;
    // U+2028 and U+2029 end a line to kubectl, except in the middle of quoted text.
    if (node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE') {
      lineSeparators += text.slice(start, end).match(/(?<=\S)[\u2028\u2029](?=\S)/g)?.length ?? 0;
      if (node.type === 'QUOTE_DOUBLE' && ESCAPED_BREAK_BEFORE_BLANK_LINE.test(text.slice(start, end))) {
        throw refuse('unclear_text', 'kubectl keeps a blank line after a \\ at the end of a line: leave out one of the two', start);
      }
    } else if (node.type === 'PLAIN' && inFlow && (text[start] === '?' || colonWithoutBlank(end))) {
      throw refuse('unclear_text', 'in brackets and braces kubectl takes a : or ? otherwise without a blank after it', start);
    }
  }

  function colonWithoutBlank(end: number): boolean {
    COLON_WITHOUT_BLANK.lastIndex = end;
    return COLON_WITHOUT_BLANK.test(text);
  }

  function checkBreaks(): void {
    if ((text.match(/[\u2028\u2029]/g)?.length ?? 0) <= lineSeparators) return;
    throw refuse(
      'unclear_text',
      'U+2028 and U+2029 end a line to kubectl: write them as escapes in double quotes',
      text.search(/[\u2028\u2029]/),
    );
  }
}
