"""What texts, trees and questions mean: pure."""
