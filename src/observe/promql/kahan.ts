/** Summation that keeps what rounding loses (Kahan, as improved by Neumaier), as Prometheus sums over time. */
export class KahanSum {
  #sum = 0;
  #lost = 0;

  add(value: number): void {
    const sum = this.#sum + value;
    if (Number.isFinite(sum)) {
      this.#lost +=
        Math.abs(this.#sum) >= Math.abs(value) ? this.#sum - sum + value : value - sum + this.#sum;
    } else {
      this.#lost = 0;
    }
    this.#sum = sum;
  }

  get value(): number {
    return Number.isFinite(this.#sum) ? this.#sum + this.#lost : this.#sum;
  }
}
