import unittest

from app.prices import order_total, total


class TotalTest(unittest.TestCase):
    def test_few_pieces_cost_the_full_price(self) -> None:
        self.assertEqual(total(9, 50), 450)

    def test_ten_pieces_are_five_percent_cheaper(self) -> None:
        self.assertEqual(total(10, 50), 475)

    def test_no_pieces_are_no_order(self) -> None:
        with self.assertRaisesRegex(ValueError, "at least one piece, not 0"):
            total(0, 50)

    def test_an_order_is_the_sum_of_its_articles(self) -> None:
        self.assertEqual(order_total({"apple": 2, "pear": 10}, {"apple": 50, "pear": 70}), 765)
