/** Where something is in a template's text; both count from 1. */
export interface TextPlace {
  line: number;
  column: number;
}

/** A message with its place. Names and texts of a template can be very long: the message is cut. */
const worded = (message: string, place: TextPlace | undefined): string => {
  const short = message.length > 500 ? `${message.slice(0, 500)}…` : message;
  return place ? `line ${place.line}, column ${place.column}: ${short}` : short;
};

/** The text of a template can't be parsed. The message says what is wrong and where. */
export class TemplateSyntaxError extends Error {
  override name = 'TemplateSyntaxError';
  readonly place: TextPlace | undefined;
  constructor(message: string, place?: TextPlace) {
    super(worded(message, place));
    this.place = place;
  }
}

/** A template can't be rendered with these parameters: an undefined variable, a wrong type, or a limit that it passes. */
export class TemplateRenderError extends Error {
  override name = 'TemplateRenderError';
  readonly place: TextPlace | undefined;
  constructor(message: string, place?: TextPlace) {
    super(worded(message, place));
    this.place = place;
  }
}
