// What a look-up brought, field by field: addon/sys/fields.h lays them.

export class Fields {
  private at = 0;

  constructor(private readonly fields: string) {}

  /** Whether there are any left. */
  get more(): boolean {
    return this.at < this.fields.length;
  }

  text(): string {
    const end = this.fields.indexOf('\0', this.at);
    const field = this.fields.slice(this.at, end);
    this.at = end + 1;
    return field;
  }

  number(): number {
    return Number(this.text());
  }

  list<T>(item: () => T): T[] {
    return Array.from({ length: this.number() }, item);
  }

  texts(): string[] {
    return this.list(() => this.text());
  }
}
