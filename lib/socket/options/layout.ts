// C structures as tables of fields: where each lies by the rules of the C compiler, how it is written and read.
// Knows no option and no constant.

import { LITTLE } from '../../native/words';

/** A field's size in bytes. Those of 8 are bigints, the others numbers. */
const SIZES = { u8: 1, u16: 2, i32: 4, u32: 4, i64: 8, u64: 8 } as const;

export type FieldType = keyof typeof SIZES;
export type Fields = Readonly<Record<string, FieldType>>;
export type Values<F extends Fields> = {
  -readonly [K in Exclude<keyof F, `_${string}`>]: F[K] extends 'i64' | 'u64' ? bigint : number;
};

export interface Layout<F extends Fields> {
  readonly size: number;
  /** Where a field begins. */
  offset(field: keyof F): number;
  /** The structure's bytes; fields that are not given are 0. */
  write(values: Partial<Values<F>>): Buffer;
  /** The fields that lie within `bytes`, which an older kernel may have cut short; not those named with a '_'. */
  read(bytes: Buffer): Partial<Values<F>>;
}

/** Lays the fields out one after the other, each at a multiple of its size. */
export function layout<const F extends Fields>(fields: F): Layout<F> {
  const places = new Map<keyof F, { at: number; type: FieldType }>();
  let end = 0;
  let widest = 1;
  for (const [name, type] of Object.entries(fields)) {
    const size = SIZES[type];
    const at = Math.ceil(end / size) * size;
    places.set(name, { at, type });
    end = at + size;
    widest = Math.max(widest, size);
  }
  const size = Math.ceil(end / widest) * widest;
  const read = [...places].filter(([name]) => !String(name).startsWith('_'));
  return {
    size,
    offset: (field) => places.get(field)!.at,
    write(values) {
      const bytes = Buffer.alloc(size);
      const given = values as Partial<Record<keyof F, number | bigint>>;
      const view = viewOf(bytes);
      for (const [name, { at, type }] of places) put(view, at, type, given[name] ?? 0);
      return bytes;
    },
    read(bytes) {
      const view = viewOf(bytes);
      const values: Partial<Record<keyof F, number | bigint>> = {};
      for (const [name, { at, type }] of read) {
        if (at + SIZES[type] <= bytes.length) values[name] = take(view, at, type);
      }
      return values as Partial<Values<F>>;
    },
  };
}

const viewOf = (bytes: Buffer): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function put(view: DataView, at: number, type: FieldType, value: number | bigint): void {
  switch (SIZES[type]) {
    case 1:
      return view.setUint8(at, Number(value));
    case 2:
      return view.setUint16(at, Number(value), LITTLE);
    case 4:
      return view.setInt32(at, Number(value), LITTLE);
    case 8:
      return view.setBigInt64(at, BigInt(value), LITTLE);
  }
}

function take(view: DataView, at: number, type: FieldType): number | bigint {
  switch (type) {
    case 'u8':
      return view.getUint8(at);
    case 'u16':
      return view.getUint16(at, LITTLE);
    case 'i32':
      return view.getInt32(at, LITTLE);
    case 'u32':
      return view.getUint32(at, LITTLE);
    case 'i64':
      return view.getBigInt64(at, LITTLE);
    case 'u64':
      return view.getBigUint64(at, LITTLE);
  }
}
