import { TemplateRenderError } from './template-error.ts';

/** What rendering a template may take. The same for both engines. */
export const TEMPLATE_LIMITS = {
  /** The text of a template, in bytes of UTF-8. */
  textBytes: 1024 * 1024,
  /** The rendered text, and every text on the way to it, in characters. */
  outputCharacters: 1024 * 1024,
  /** Steps of work: nodes that are evaluated, and what filters go through. All of them take about 100 ms. */
  steps: 600_000,
  /** What one tag of a template may consist of. */
  tagTokens: 2_000,
  /** What all tags together may consist of, with their brackets. To parse so many takes about 100 ms. */
  tokens: 100_000,
  /** How deep blocks, expressions and calls of macros may be nested. */
  depth: 64,
} as const;

/** What one rendering has used. Every loop, filter and text draws on it, so that no template runs for long. */
export class RenderBudget {
  private steps: number = TEMPLATE_LIMITS.steps;
  private depth = 0;

  /** Takes steps; throws if there are not so many left. */
  spend(steps: number): void {
    this.steps -= steps;
    if (this.steps < 0) throw new TemplateRenderError(`the template takes more than ${TEMPLATE_LIMITS.steps} steps`);
  }

  /** A text of this many characters is about to be made, so many of them new. It is paid for before it is there. */
  text(characters: number, fresh = characters): void {
    if (characters > TEMPLATE_LIMITS.outputCharacters)
      throw new TemplateRenderError(`a text would have more than ${TEMPLATE_LIMITS.outputCharacters} characters`);
    this.spend(fresh >> 3);
  }

  /** One text is about to be looked for in another. At worst each character is compared with each. */
  search(text: string, wanted: string): void {
    this.spend(Math.ceil((text.length * wanted.length) / 64));
  }

  /** Runs something one level deeper. */
  deeper<T>(run: () => T): T {
    if (this.depth >= TEMPLATE_LIMITS.depth)
      throw new TemplateRenderError(`the template is nested more than ${TEMPLATE_LIMITS.depth} deep`);
    this.depth += 1;
    try {
      return run();
    } finally {
      this.depth -= 1;
    }
  }
}
