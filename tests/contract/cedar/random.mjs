// Numbers that look random and repeat with their seed (sfc32).
export class Random {
  constructor(seed) {
    const wide = BigInt.asUintN(64, BigInt(seed));
    this.a = Number(wide & 0xFFFFFFFFn) | 0;
    this.b = Number(wide >> 32n) | 0;
    this.c = 0x2545F491 | 0;
    this.counter = 1;
    for (let i = 0; i < 16; i++) this.next();
  }

  next() {
    const sum = (this.a + this.b + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = ((this.c << 21 | this.c >>> 11) + sum) | 0;
    return sum >>> 0;
  }

  below(bound) { return this.next() % bound; }
  chance(percent) { return this.below(100) < percent; }
  pick(items) { return items[this.below(items.length)]; }
  some(items, most) {
    return Array.from({ length: 1 + this.below(most) }, () => this.pick(items));
  }
}
