import { TemplateRenderError } from '../template-error.ts';
import { isArray, isObject, typeName, type Value, type ValueObject } from './values.ts';

/** The arguments of one call of a filter or function. What is missing or of another type is an error that names it. */
export class Arguments {
  private readonly kind: 'filter' | 'function';
  private readonly name: string;
  private readonly values: ReadonlyMap<string, Value>;
  constructor(kind: 'filter' | 'function', name: string, values: ReadonlyMap<string, Value>) {
    this.kind = kind;
    this.name = name;
    this.values = values;
  }
  /** Fails, with the name of the filter or function. */
  refuse(message: string): never {
    throw new TemplateRenderError(`the ${this.kind} "${this.name}": ${message}`);
  }
  value(name: string): Value {
    return this.values.get(name) ?? (this.values.has(name) ? null : this.refuse(`the argument "${name}" is missing`));
  }
  has(name: string): boolean {
    return this.values.has(name);
  }
  text(name: string, absent?: string): string {
    const value = absent !== undefined && !this.has(name) ? absent : this.value(name);
    return typeof value === 'string' ? value : this.refuse(`the argument "${name}" must be a text, and is ${typeName(value)}`);
  }
  integer(name: string, absent?: number): number {
    const value = absent !== undefined && !this.has(name) ? absent : this.value(name);
    return typeof value === 'number' && Number.isSafeInteger(value)
      ? value
      : this.refuse(`the argument "${name}" must be a whole number, and is ${typeof value === 'number' ? value : typeName(value)}`);
  }
  flag(name: string): boolean {
    const value = this.has(name) ? this.value(name) : false;
    return typeof value === 'boolean' ? value : this.refuse(`the argument "${name}" must be true or false, and is ${typeName(value)}`);
  }
  /** The input of the filter, of the type that it works on. */
  inputText(value: Value): string {
    return typeof value === 'string' ? value : this.refuse(`works on a text, not on ${typeName(value)}`);
  }
  inputNumber(value: Value): number {
    return typeof value === 'number' ? value : this.refuse(`works on a number, not on ${typeName(value)}`);
  }
  inputList(value: Value): readonly Value[] {
    return isArray(value) ? value : this.refuse(`works on a list, not on ${typeName(value)}`);
  }
  inputObject(value: Value): ValueObject {
    return isObject(value) ? value : this.refuse(`works on an object, not on ${typeName(value)}`);
  }
}
