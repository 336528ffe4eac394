import { TemplateSyntaxError, type TextPlace } from '../template-error.ts';
import { TEMPLATE_LIMITS } from '../template-limits.ts';
import { WITHHELD } from './functions.ts';
import { parseExpression, parseFilter } from './parse-expression.ts';
import type { Expression, Macro, Node, TeraTemplate } from './syntax.ts';
import { TokenReader } from './token-reader.ts';
import { type Piece, piecesOf } from './tokens.ts';
import type { Value } from './values.ts';

/** Parses a template. Throws a TemplateSyntaxError that says where it is wrong, and how. */
export function parseTera(text: string): TeraTemplate {
  if (Buffer.byteLength(text) > TEMPLATE_LIMITS.textBytes)
    throw new TemplateSyntaxError(`the template has more than ${TEMPLATE_LIMITS.textBytes} bytes`);
  return new Parser(piecesOf(text)).template();
}

/** A statement that ends a body: `elif`, `else`, `endif`, … */
interface Ending {
  word: string;
  reader: TokenReader;
}
/** The tag that opened a block. */
interface Opened {
  word: string;
  place: TextPlace;
}
/** Where a body stands: what may be in it. */
interface Where {
  inLoop: boolean;
  top: boolean;
}

class Parser {
  private at = 0;
  private depth = 0;
  private readonly pieces: readonly Piece[];
  private readonly macros = new Map<string, Macro>();
  constructor(pieces: readonly Piece[]) {
    this.pieces = pieces;
  }

  template(): TeraTemplate {
    const nodes = this.body([], { inLoop: false, top: true }, undefined).nodes;
    return { nodes, macros: this.macros };
  }

  /** Parses up to one of these words. Without words it is the end of the text. */
  private body(ends: readonly string[], where: Where, opened: Opened | undefined): { nodes: Node[]; end: Ending } {
    if (this.depth >= TEMPLATE_LIMITS.depth)
      throw new TemplateSyntaxError(`blocks are nested more than ${TEMPLATE_LIMITS.depth} deep`, opened?.place);
    this.depth += 1;
    const nodes: Node[] = [];
    for (let piece = this.pieces[this.at]; piece !== undefined; piece = this.pieces[this.at]) {
      this.at += 1;
      if (piece.kind === 'text') {
        nodes.push(piece);
        continue;
      }
      const reader = new TokenReader(piece.tokens, piece.inside);
      if (piece.kind === 'print') {
        const { place } = reader;
        nodes.push({ kind: 'print', value: parseExpression(reader), place });
        reader.end();
        continue;
      }
      const word = reader.name('a statement, such as if, for or set');
      if (ends.includes(word)) {
        this.depth -= 1;
        return { nodes, end: { word, reader } };
      }
      const node = this.statement(word, reader, where);
      if (node) nodes.push(node);
    }
    if (opened) throw new TemplateSyntaxError(`"${opened.word}" is not closed: {% end${opened.word} %} is missing`, opened.place);
    this.depth -= 1;
    return { nodes, end: { word: '', reader: new TokenReader([]) } };
  }

  private statement(word: string, reader: TokenReader, where: Where): Node | undefined {
    const inner = { ...where, top: false };
    const opened = { word, place: reader.tagPlace };
    switch (word) {
      case 'if':
        return this.ifStatement(reader, inner, opened);
      case 'for':
        return this.forStatement(reader, { ...inner, inLoop: true }, opened);
      case 'set':
      case 'set_global':
        return this.setStatement(word, reader);
      case 'filter': {
        const filter = parseFilter(reader);
        reader.end();
        const { nodes, end } = this.body(['endfilter'], inner, opened);
        end.reader.end();
        return { kind: 'filter-block', ...filter, body: nodes };
      }
      case 'macro':
        if (!where.top) throw new TemplateSyntaxError('a macro must not be inside of another block', opened.place);
        this.macro(reader, opened);
        return undefined;
      case 'break':
      case 'continue':
        if (!where.inLoop) throw new TemplateSyntaxError(`"${word}" is outside of a loop`, opened.place);
        reader.end();
        return { kind: word };
      default:
        throw new TemplateSyntaxError(WITHHELD.get(word) ?? wrongStatement(word), opened.place);
    }
  }

  private ifStatement(reader: TokenReader, where: Where, opened: Opened): Node {
    const branches: { condition: Expression; body: Node[] }[] = [];
    let otherwise: Node[] = [];
    for (let current: TokenReader | undefined = reader; current; ) {
      const condition = parseExpression(current);
      current.end();
      const { nodes, end } = this.body(['elif', 'else', 'endif'], where, opened);
      branches.push({ condition, body: nodes });
      current = end.word === 'elif' ? end.reader : undefined;
      if (end.word === 'else') {
        end.reader.end();
        const rest = this.body(['endif'], where, opened);
        otherwise = rest.nodes;
        rest.end.reader.end();
      } else if (end.word === 'endif') {
        end.reader.end();
      }
    }
    return { kind: 'if', branches, otherwise };
  }

  private forStatement(reader: TokenReader, where: Where, opened: Opened): Node {
    const first = reader.name('the name of the loop’s variable');
    const second = reader.takes(',') ? reader.name('the name of the value') : undefined;
    reader.expect('in', 'after the loop’s variable');
    const { place } = reader;
    const over = parseExpression(reader);
    reader.end();
    const { nodes, end } = this.body(['else', 'endfor'], where, opened);
    end.reader.end();
    let otherwise: Node[] = [];
    if (end.word === 'else') {
      const rest = this.body(['endfor'], where, opened);
      rest.end.reader.end();
      otherwise = rest.nodes;
    }
    return { kind: 'for', key: second === undefined ? undefined : first, value: second ?? first, over, body: nodes, otherwise, place };
  }

  private setStatement(word: 'set' | 'set_global', reader: TokenReader): Node {
    const name = reader.name('the name of a variable');
    reader.expect('=', `after the name: {% ${word} name = value %}`);
    const value = parseExpression(reader);
    reader.end();
    return { kind: 'set', name, value, global: word === 'set_global' };
  }

  private macro(reader: TokenReader, opened: Opened): void {
    const name = reader.name('the name of the macro');
    if (this.macros.has(name)) throw new TemplateSyntaxError(`there are two macros "${name}"`, opened.place);
    reader.expect('(', 'after the name of the macro');
    const parameters: { name: string; absent: Value | undefined }[] = [];
    while (!reader.takes(')')) {
      const parameter = reader.name('the name of a parameter');
      if (parameters.some((other) => other.name === parameter)) reader.refuse(`the parameter "${parameter}" is given twice`);
      parameters.push({ name: parameter, absent: reader.takes('=') ? literal(reader) : undefined });
      if (!reader.is(')')) reader.expect(',', 'between two parameters');
    }
    reader.end();
    const { nodes, end } = this.body(['endmacro'], { inLoop: false, top: false }, opened);
    if (end.reader.peek()) end.reader.name('the name of the macro');
    end.reader.end();
    this.macros.set(name, { name, parameters, body: nodes });
  }
}

/** What a parameter is if no argument is given: as in Tera it doesn't depend on variables. */
function literal(reader: TokenReader): Value {
  const { place } = reader;
  const expression = parseExpression(reader);
  if (expression.kind !== 'literal') return reader.refuse('the default of a parameter must be a text, a number, true or false', place);
  return expression.value;
}

const wrongStatement = (word: string): string =>
  /^(?:else|elif|end\w*)$/.test(word) ? `"${word}" has no block that it belongs to` : `there is no statement "${word}"`;
